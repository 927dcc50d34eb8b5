"""The commands that carry records: `archipel export`, `import`, `stick`, `letters`, `read`."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.board import explanations
from node.board.api import TOPICS
from node.board.reasons import DeliveryProblem, StickProblem
from node.cli import backups, vouching
from node.cli.help import command
from node.cli.language import _, say, worded
from node.cli.options import config_option, json_option, minute_of_local, refusal, settings_of, tell_json, typed_text
from node.cli.progress import Progress
from node.daemon.keyfiles import KeyTrouble
from node.daemon.rpc import Refused
from node.daemon.usb import Exchange, exchange, file_of
from node.model.errors import RemoteFault
from node.model.record import TRUST_KINDS
from node.store.disk import StoreLocked
from node.store.index import StoreFailed
from node.transfer.bulk import BulkPort, Choice, Landed

NUMBERS = {slug: number for number, slug in TOPICS.items()}

@command("export")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--topic", type=click.Choice(sorted(NUMBERS)), help="Only what is about this topic.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]), metavar="YYYY-MM-DD",
              help="Only what was posted since then.")
def export(config: Path | None, file: Path, topic: str | None, since: datetime | None) -> None:
    """Write the live records to FILE, a bundle.

    For a stick, a phone, another island.
    """
    from node.daemon.bulk_client import export_file

    choice = Choice(NUMBERS[topic] if topic else None, max(minute_of_local(since), 0) if since else 0)
    with bulk_of_island(config) as bulk, Progress() as progress:
        count = len(bulk.ids(choice))
        size = export_file(bulk, file, choice, progress.begin(file.name, count))
    say("%(file)s: %(records)s records, %(bytes)s bytes. Whoever receives it: archipel import %(name)s",
        file=str(file), records=count, bytes=size, name=file.name)


@command("import")
@config_option
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def import_(config: Path | None, files: tuple[Path, ...], as_json: bool) -> None:
    """Take in the bundles FILES.

    What is known already changes nothing.
    """
    told = {}
    with bulk_of_island(config) as bulk:
        for file in files:
            landed = _imported(bulk, file)
            told[str(file)] = landed_json(landed)
            if not as_json:
                click.echo(f"{file}: {in_words(landed)}")
    if as_json:
        tell_json(told)


def _imported(bulk: BulkPort, file: Path) -> Landed:
    from node.daemon.bulk_client import import_file

    with Progress() as progress:
        tell = progress.begin(file.name, file.stat().st_size)
        try:
            return import_file(bulk, file, progress=lambda landed, size: tell(size))
        except RemoteFault as fault:
            raise click.ClickException(f"{file}: {worded(explanations.delivery(fault.reason))}") from fault


@command("stick")
@config_option
@click.pass_context
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--invite", is_flag=True, help="Also leave an invitation on it: whoever has the stick may join, once.")
@click.option("--backup", is_flag=True, help="Also leave a backup of this island on it, under a passphrase.")
def stick(ctx: click.Context, config: Path | None, folder: Path, invite: bool, backup: bool) -> None:
    """Exchange records with the USB stick at FOLDER.

    Takes in what others left there and leaves this island's board.
    """
    with bulk_of_island(config) as bulk:
        made = exchanged(bulk, folder)
        beside = file_of(folder, bulk.label()).parent
    for name, landed in made.landed.items():
        click.echo(f"{name}: {in_words(landed)}")
    for name, reason in made.unread.items():
        click.echo(f"{name}: {unread_words(reason)}")
    if made.problem:
        raise click.ClickException(worded(explanations.stick(made.problem)))
    say("This island's board is on the stick: %(bytes)s bytes.", bytes=made.written_bytes)
    _leave_beside(ctx, (config, beside), invite, backup)
    say("Done: you can take the stick.")


def exchanged(bulk: BulkPort, folder: Path) -> Exchange:
    """Exchange records with the stick at a folder, told to who watches here and to who looks at the portal."""
    made = Exchange(problem=StickProblem.FAILED)
    bulk.tell("working")
    try:
        with Progress() as progress:
            made = exchange(bulk, folder, progress.begin)
    finally:
        bulk.tell("done", made.new, made.problem)
    return made


def unread_words(reason: str) -> str:
    """Why a file of a stick was not taken in."""
    if reason in set(DeliveryProblem):
        return worded(explanations.delivery(reason))
    return _("this file cannot be read.")


def _leave_beside(ctx: click.Context, where: tuple[Path | None, Path], invite: bool, backup: bool) -> None:
    """What a keeper asked for besides."""
    config, beside = where
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"  # noqa: TID251 - names a file
    if invite:
        ctx.invoke(vouching.invite, config=config, out=beside / f"invitation-{stamp}.txt", qr=False, days=30, group=False,
                   keeper=False, key_file=None, words=False)
    if backup:
        ctx.invoke(backups.backup, config=config, file=beside / f"backup-{stamp}.sealed")


@command("letters")
@config_option
@click.argument("item_id", metavar="ID")
def letters(config: Path | None, item_id: str) -> None:
    """Print one record as letters and as a QR code.

    For paper, when nothing else travels. ID is its first digits, see archipel list.
    """
    import segno

    from node.transfer.paper import code_of, letters_of

    with bulk_of_island(config) as bulk:
        found = [id_ for id_ in bulk.ids() if id_.hex().startswith(item_id.lower())]
        if len(found) != 1 or len(item_id) < 4:
            raise click.ClickException(_("%(count)s live records begin with %(digits)s: see archipel list.",
                                         count=len(found), digits=item_id))
        raw = bulk.load(found)[0]
    segno.make(code_of(raw), micro=False, error="m").terminal(compact=True, border=2)
    click.echo(letters_of(raw))


@command("read")
@config_option
@click.argument("picture", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def read(config: Path | None, picture: Path | None, as_json: bool) -> None:
    """Take in records from paper.

    From their letters (typed, then Ctrl-D), or from a PICTURE of their QR codes (needs zxing-cpp-tools).
    """
    from node.transfer.paper import records_in

    text = _scanned(picture) if picture else typed_text()
    try:
        raws, wrong = records_in(text)
    except RemoteFault as fault:
        raise click.ClickException(worded(explanations.delivery(fault.reason))) from fault
    landed = Landed()
    with bulk_of_island(config) as bulk:
        for raw, reason in zip(raws, bulk.unload(raws, "paper"), strict=True):
            landed.count(raw, reason)
    landed.refused += Counter({"letters": wrong})
    if as_json:
        tell_json(landed_json(landed))
    else:
        click.echo(in_words(landed))


def _scanned(picture: Path) -> str:
    """What the code in a picture says, or a clear end of the command."""
    from node.daemon.qr_reader import scanned

    try:
        return scanned(picture.read_bytes())
    except RemoteFault as fault:
        sentence = worded(explanations.delivery(fault.reason))
        if fault.reason == DeliveryProblem.NO_READER:
            sentence += " " + _("To read pictures, install zxing-cpp-tools (and a kernel with Landlock).")
        raise click.ClickException(sentence) from fault


def landed_json(landed: Landed) -> dict[str, Any]:
    """What a bundle brought, for programs."""
    trust = sum(landed.new[kind] for kind in TRUST_KINDS)
    return {"new": landed.new.total() - trust, "trust": trust, "known": landed.known, "refused": dict(landed.refused),
            "faults": dict(landed.faults), "island": landed.header.name if landed.header else None}


def in_words(landed: Landed) -> str:
    """What a bundle brought, in a sentence or two."""
    trust = sum(landed.new[kind] for kind in TRUST_KINDS)
    parts = [_("%(count)s new", count=landed.new.total() - trust), _("%(count)s known", count=landed.known)]
    parts += [_("%(count)s about who may write", count=trust)] if trust else []
    parts += [f"{count} {what}" for what, count in _refusals(landed).items()]
    wrong = _("; ").join(map(worded, explanations.faults([fault for fault, count in landed.faults.items() if count])))
    careful = " " + _("Careful: %(faults)s. What was good of it is taken in.", faults=wrong) if wrong else ""
    return _(", ").join(parts) + "." + careful


def _refusals(landed: Landed) -> Counter[str]:
    """How many were not kept, by why in words."""
    grouped: Counter[str] = Counter()
    for reason, count in landed.refused.items():
        grouped[worded(explanations.verdict(reason))] += count
    return grouped


@contextmanager
def bulk_of_island(config: Path | None) -> Iterator[BulkPort]:
    """The island's bulk port, or a clear end of the command."""
    from node.daemon.bulk_client import bulk_of

    settings = settings_of(config)
    try:
        with bulk_of(settings.node.data, settings.node.name) as bulk:
            yield bulk
    except KeyTrouble as trouble:
        raise click.ClickException(worded(trouble.sentence)) from trouble
    except Refused as refused:
        raise click.ClickException(_not_in(refused)) from refused
    except StoreLocked as error:
        raise click.ClickException(_("%(folder)s is in use, and who uses it does not answer.",
                                     folder=str(settings.node.data))) from error
    except StoreFailed as failure:
        raise click.ClickException(_card(failure.reason)) from failure


def _not_in(refused: Refused) -> str:
    return _card(refused.fields["code"]) if "code" in refused.fields else refusal(refused.reason, refused.fields)


def _card(reason: str) -> str:
    """The card failed while records were taken in."""
    return worded(explanations.closed(reason)) + " " + _("What is not said to be in, is not. Make room or change the card, "
                                                         "then do it again.")


COMMANDS = (export, import_, stick, letters, read)
