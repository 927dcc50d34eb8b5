"""The commands that carry records: `archipel export`, `import`, `stick`, `letters`, `read`."""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from node.board.api import TOPICS
from node.cli import backups, keys
from node.cli.i18n import say, translated
from node.cli.options import config_option, settings_of
from node.daemon.keyfiles import KeyTrouble
from node.daemon.rpc import Refused
from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.record import Kind
from node.store.disk import StoreLocked
from node.store.index import StoreFailed
from node.transfer.bulk import Choice, Landed

NUMBERS = {slug: number for number, slug in TOPICS.items()}
NO_BUNDLE = {
    "bundle-mark": "this is not a bundle of Archipel's.",
    "bundle-version": "this bundle was made by a later version of Archipel: update this island.",
    "other-set": "this bundle is another set's: none of it belongs here.",
}
NO_PICTURE = {
    "picture-type": "this file is not a whole PNG or JPEG picture.",
    "picture-bytes": "this picture weighs too much: take one of the code alone.",
    "picture-side": "this picture is too large or too small: take one of the code alone.",
    "no-code": "no code of a record is to be seen in this picture. Take it closer, in good light.",
    "no-reader": "to read pictures, install zxing-cpp-tools (and a kernel with Landlock); or type the letters.",
}
CARD = {"full": "the card is full", "read-only": "the card can no longer be written"}
STICK = {
    "full": "the stick is full: this island's board is not on it. What it brought is in; make room and plug it in again.",
    "read-only": "the stick cannot be written: this island's board is not on it. What it brought is in.",
    "gone": "the stick was pulled out too early, or it is broken. Plug it in again.",
}
IN_WORDS = {
    "expired": "out of date", "superseded": "older versions", "retracted": "withdrawn",
    "over-share": "above their author's share",
    "penned": "wait for their author to be let in", "early": "wait for their hour", "revoked": "of a key that was revoked",
    "signature": "forged or damaged",
}
FAULTS = {
    "header": "its first lines are damaged", "damaged": "parts of it are damaged", "cut-short": "its end is missing",
    "too-damaged": "too much of it is damaged: the rest was not read",
    "too-large": "it is too large: the rest was not read",
    "too-many": "it holds too many records: the rest was not read", "count": "it does not hold as many records as it says",
    "sum": "it was changed since it was made", "too-many-forged": "too much of it is forged: the rest was not read",
}


@click.command("export")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--topic", type=click.Choice(sorted(NUMBERS)), help="Only what is about this topic.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]), help="Only what was posted since then.")
def export(config: Path | None, file: Path, topic: str | None, since: datetime | None) -> None:
    """Write the live records to FILE, a bundle: for a stick, a phone, another island."""
    from node.daemon.bulk_client import export_file

    choice = Choice(NUMBERS.get(topic), minute_of(since.timestamp()) if since else 0)
    with _bulk(config) as bulk:
        count = len(bulk.ids(choice))
        size = export_file(bulk, file, choice, _dots())
    say(f"{file}: {count} records, {size} bytes. Whoever receives it: archipel import {file.name}")


@click.command("import")
@config_option
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(config: Path | None, files: tuple[Path, ...]) -> None:
    """Take in the bundles FILES. What is known already changes nothing."""
    from node.daemon.bulk_client import import_file

    with _bulk(config) as bulk:
        for file in files:
            tell = _dots()
            try:
                landed = import_file(bulk, file, progress=lambda landed, size, tell=tell: tell(size))
            except RemoteFault as fault:
                raise click.ClickException(f"{file}: {translated(NO_BUNDLE.get(fault.reason, fault.reason))}") from fault
            click.echo(f"{file}: {in_words(landed)}")


@click.command("stick")
@config_option
@click.pass_context
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--invite", is_flag=True, help="Also leave an invitation on it: whoever has the stick may join, once.")
@click.option("--backup", is_flag=True, help="Also leave a backup of this island on it, under a passphrase.")
def stick(ctx: click.Context, config: Path | None, folder: Path, invite: bool, backup: bool) -> None:
    """Exchange records with a USB stick mounted at FOLDER: take in what others left there, leave this island's."""
    from node.daemon.usb import Exchange, exchange, file_of

    with _bulk(config) as bulk:
        made = Exchange(problem="failed")
        bulk.tell("working")
        try:
            made = exchange(bulk, folder, click.echo)
        finally:
            bulk.tell("done", made.new, made.problem)
        beside = file_of(folder, bulk.label()).parent
    for name, landed in made.landed.items():
        click.echo(f"{name}: {in_words(landed)}")
    for name, reason in made.unread.items():
        click.echo(f"{name}: {translated(NO_BUNDLE.get(reason, 'this file cannot be read.'))}")
    if made.problem:
        raise click.ClickException(STICK[made.problem])
    say(f"This island's board is on the stick: {made.written_bytes} bytes.")
    _leave_papers(ctx, (config, beside), invite, backup)
    say("Done: you can take the stick.")


def _leave_papers(ctx: click.Context, where: tuple[Path | None, Path], invite: bool, backup: bool) -> None:
    """What a keeper asked for besides."""
    config, beside = where
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"  # noqa: TID251 - names a file
    if invite:
        ctx.invoke(keys.invite, config=config, out=beside / f"invitation-{stamp}.txt", days=30, qr=False, group=False)
    if backup:
        ctx.invoke(backups.backup, config=config, file=beside / f"backup-{stamp}.sealed")


@click.command("letters")
@config_option
@click.argument("item_id", metavar="ID")
def letters(config: Path | None, item_id: str) -> None:
    """Print one record as letters and as a QR code: for paper, when nothing else travels. ID: its first digits."""
    import segno

    from node.transfer.paper import code_of, letters_of

    with _bulk(config) as bulk:
        found = [id_ for id_ in bulk.ids() if id_.hex().startswith(item_id.lower())]
        if len(found) != 1 or len(item_id) < 4:
            raise click.ClickException(f"{len(found)} live records begin with {item_id}: see archipel list.")
        raw = bulk.load(found)[0]
    segno.make(code_of(raw), micro=False, error="m").terminal(compact=True, border=2)
    click.echo(letters_of(raw))


@click.command("read")
@config_option
@click.argument("picture", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def read(config: Path | None, picture: Path | None) -> None:
    """Take in one record from its letters (typed, then Ctrl-D) or from a PICTURE of its QR code (needs zxing-cpp-tools)."""
    from node.transfer.paper import record_in

    text = _scanned(picture) if picture else click.get_text_stream("stdin").read()
    try:
        raw = record_in(text)
    except RemoteFault as fault:
        raise click.ClickException("there is a mistake in these letters. Compare them, group by group.") from fault
    landed = Landed()
    with _bulk(config) as bulk:
        landed.count(raw, bulk.unload([raw], "paper")[0])
    click.echo(in_words(landed))


def _scanned(picture: Path) -> str:
    """What the code in a picture says, or a clear end of the command."""
    from node.daemon.qr_reader import scanned

    try:
        return scanned(picture.read_bytes())
    except RemoteFault as fault:
        raise click.ClickException(NO_PICTURE[fault.reason]) from fault


def in_words(landed: Landed) -> str:
    """What a bundle brought, in a sentence or two."""
    trust = landed.new[Kind.VOUCH] + landed.new[Kind.REVOCATION]
    new = landed.new.total() - trust
    words = [translated(f"{new} new"), translated(f"{landed.known} known")]
    words += [translated(f"{trust} about who may write")] if trust else []
    words += [f"{count} {translated(text)}" for text, count in _grouped(landed.refused).items()]
    sentence = ", ".join(words) + "."
    wrong = [translated(text) for slug, text in FAULTS.items() if landed.faults[slug]]
    return sentence + (translated(f" Careful: {'; '.join(wrong)}. What was good of it is in.") if wrong else "")


def _grouped(refused: Counter[str]) -> Counter[str]:
    grouped: Counter[str] = Counter()
    for reason, count in refused.items():
        grouped[IN_WORDS.get(reason, "forged or damaged")] += count
    return grouped


@contextmanager
def _bulk(config: Path | None):
    """The island's bulk, or a clear end of the command."""
    from node.daemon.bulk_client import bulk_of

    settings = settings_of(config)
    try:
        with bulk_of(settings.node.data, settings.node.name) as bulk:
            yield bulk
    except (KeyTrouble, Refused) as error:
        raise click.ClickException(str(error)) from error
    except StoreLocked as error:
        raise click.ClickException(f"{settings.node.data} is in use, and who uses it does not answer.") from error
    except StoreFailed as failure:
        raise click.ClickException(f"{CARD.get(failure.reason, 'the card does not take it')}: what is not said to be in, "
                                   "is not. Make room or change the card, then do it again.") from failure
    except OSError as error:
        raise click.ClickException(f"{error.filename or ''}: {error.strerror}".strip(": ")) from error


def _dots() -> Callable[[int], None]:
    """Says every 100 kB how far it is, to who watches a terminal."""
    said = 0

    def tell(size: int) -> None:
        nonlocal said
        if size >= said + 100_000:
            said = size
            click.echo(f"\r{size // 1000} kB", nl=False, err=True)

    return tell


COMMANDS = (export, import_, stick, letters, read)
