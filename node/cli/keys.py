"""The commands of those who keep a set: found, invite, join, vouch, revoke, keys, newkey."""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from node.board import explanations
from node.board.reasons import IN_THE_SET, VerdictReason
from node.cli.help import command
from node.cli.language import _, say, worded
from node.cli.options import (
    MOMENT,
    ask,
    config_option,
    minute_of_local,
    new_passphrase,
    passphrase,
    settings_of,
)
from node.daemon import rpc
from node.daemon.keyfiles import KeyFolder, KeyTrouble, read_keeper_key, vouch, write_keeper_key
from node.daemon.settings import Settings
from node.i18n.sentence import N_
from node.model.clock import MAX_MINUTE, SystemClock, minute_of, utc_day
from node.model.keys import SigningKey
from node.model.passphrase import WrongPassphrase
from node.model.public_key import is_usable_key
from node.model.record import MAX_LIFE_H, Kind, Record, Revocation, Right, Vouch, decode, encode, sign

key_option = click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                          help="A keeper's key file; without it, this island's own key signs.")
Made = TypeVar("Made")
RIGHTS = {"write": N_("may write"), "vouch": N_("may vouch"), "urgent": N_("may mark as urgent"), "group": N_("is a group"),
          "invite": N_("may invite")}
REVOCATION_LIFE_H = MAX_LIFE_H[Kind.REVOCATION]


@command()
@config_option
@click.argument("name")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="Where to keep the founding key.")
def found(config: Path | None, name: str, key_file: Path) -> None:
    """Found the set NAME with a key kept elsewhere.

    The founding key is kept in a file off this island (on a stick, say), under a passphrase.
    """
    settings = settings_of(config)
    folder = _folder_without_set(settings)
    founder = _troubled(lambda: write_keeper_key(key_file, new_passphrase(name, settings.node.name)))
    charter = folder.found(name, settings.node.name, founder)
    say("Founded “%(name)s”, fingerprint %(fingerprint)s. The founding key is in %(file)s:\n"
        "keep it and its passphrase safe and away from this island; without them nobody can be let in or put out.",
        name=charter.name, fingerprint=charter.set_id.hex(), file=str(key_file))


@command()
@config_option
@click.argument("file", type=click.File("r"))
def join(config: Path | None, file: TextIO) -> None:
    """Join the set that an invitation leads to.

    FILE is the invitation, or - to type it.
    """
    settings = settings_of(config)
    folder = _folder_without_set(settings)
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        raise click.ClickException(_("%(file)s holds no text.", file=file.name)) from error
    charter = _troubled(lambda: folder.join(text, settings.node.name))
    say("Joined “%(set)s” as “%(name)s”. Its fingerprint, to check with the keeper: %(fingerprint)s",
        set=charter.name, name=settings.node.name, fingerprint=charter.set_id.hex())
    say("Next: archipel run.")


@command()
@config_option
@key_option
@click.option("--days", type=click.IntRange(1, 1000), metavar="DAYS", default=365, show_default=True,
              help="How long it may be used, and how long who joins with it may write.")
@click.option("--group", is_flag=True, help="For an association, union or collective rather than an island.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--qr/--no-qr", default=True, help="Show it as a QR code too.")
def invite(config: Path | None, key_file: Path | None, days: int, out: Path | None, **given: bool) -> None:
    """Prepare an invitation that lets one new island in."""
    settings = settings_of(config)
    folder, keeper = KeyFolder(settings.node.data), _signer(settings, key_file)
    text = _troubled(lambda: folder.invite(days, keeper, _credentials(settings), given["group"]))
    if out:
        out.write_text(text + "\n", encoding="utf-8")
        say("Written to %(file)s.", file=str(out))
    else:
        click.echo(text)
    if given["qr"]:
        import segno

        segno.make(text.replace("\n", " "), error="l").terminal(compact=True, border=2)
    say("Good for one island: archipel join FILE. Whoever has it can use it: give it by hand.\n"
        "Who joins with it may write for %(days)s days; to let them stay longer, vouch for them (archipel vouch).",
        days=days)


@command("vouch")
@config_option
@key_option
@click.argument("public")
@click.option("--name", required=True, help="What the key will be called on every island.")
@click.option("--keeper", is_flag=True, help="May vouch for others.")
@click.option("--urgent", is_flag=True, help="May mark posts as urgent.")
@click.option("--group", is_flag=True, help="An association, union or collective.")
@click.option("--days", type=click.IntRange(1, 1000), metavar="DAYS", default=730, show_default=True,
              help="How long it may write.")
def vouch_for(config: Path | None, key_file: Path | None, public: str, name: str, days: int, **given: bool) -> None:
    """Let the key PUBLIC (64 hex digits) write here."""
    settings = settings_of(config)
    rights = Right.WRITE
    for flag, right in (("keeper", Right.VOUCH), ("urgent", Right.URGENT), ("group", Right.GROUP)):
        rights |= right if given[flag] else Right(0)
    charter, signer = _troubled(KeyFolder(settings.node.data).charter), _signer(settings, key_file)
    detail = Vouch(_public(public), rights)
    _publish(settings, vouch(charter, signer, detail, name, (_minute(settings), days * 24)))
    say("Vouched for %(name)s.", name=name)


@command()
@config_option
@key_option
@click.argument("key_id")
@click.option("--since", type=MOMENT, metavar="'YYYY-MM-DD HH:MM'",
              help="What it signed from then on does not count; now if not given.")
def revoke(config: Path | None, key_file: Path | None, key_id: str, since: datetime | None) -> None:
    """Put out the key KEY_ID (see archipel keys).

    For a seized box, a stolen key, an author who lies. KEY_ID has 16 hex digits.
    """
    settings = settings_of(config)
    charter, signer = _troubled(KeyFolder(settings.node.data).charter), _signer(settings, key_file)
    now = _minute(settings)
    subject = _from_hex(key_id, 8)
    if not subject:
        raise click.ClickException(_("a key id has 16 hex digits: see archipel keys."))
    detail = Revocation(subject, minute_of_local(since) if since else now)
    record = Record(Kind.REVOCATION, signer.key_id, now, REVOCATION_LIFE_H, detail=detail)
    _publish(settings, encode(sign(record, charter.set_id, signer.sign)))
    say("Revoked. What you gave that key ends; the key itself, if you are a founder or once enough keepers agree.")


@command()
@config_option
def keys(config: Path | None) -> None:
    """Show who may do what in this set, founders first."""
    for key in ask(settings_of(config), "keys"):
        click.echo(key_line(key))


def key_line(key: dict[str, Any]) -> str:
    """One key as a person reads it."""
    rights = _(", ").join(_(RIGHTS.get(right, right)) for right in key["rights"]) or _("nothing any more")
    return f"{key['id']}  {key['name']}: {_('; ').join([rights, *_remarks(key)])}"


def _remarks(key: dict[str, Any]) -> Iterator[str]:
    """What else there is to know of a key."""
    if (until := min(key["rights"].values(), default=MAX_MINUTE)) < MAX_MINUTE:
        yield _("until %(day)s", day=utc_day(until))
    if key["here"]:
        yield _("this island")
    if key["vouched_by"]:
        yield _("vouched for by %(name)s", name=key["vouched_by"])
    elif key["chain"] == 0:
        yield _("founder")
    if key["revoked"] is not None:
        yield _("REVOKED since %(day)s", day=utc_day(key["revoked"]))


@command()
@click.argument("file", type=click.Path(path_type=Path))
def newkey(file: Path) -> None:
    """Make a keeper's key in FILE, under a passphrase.

    Give its public part to a keeper to be vouched for.
    """
    key = _troubled(lambda: write_keeper_key(file, new_passphrase()))
    say("Public part, to be vouched for (archipel vouch … --keeper): %(key)s", key=key.public.hex())


def _folder_without_set(settings: Settings) -> KeyFolder:
    folder = KeyFolder(settings.node.data)
    if folder.charter_exists():
        raise click.ClickException(_("%(folder)s belongs to a set already; nothing was changed. For another set, choose "
                                     "another [node] data.", folder=str(settings.node.data)))
    return folder


def _signer(settings: Settings, key_file: Path | None) -> SigningKey:
    if key_file is None:
        return _troubled(KeyFolder(settings.node.data).island_key)
    try:
        return read_keeper_key(key_file, passphrase(_("Passphrase of %(file)s", file=key_file.name)))
    except WrongPassphrase:
        raise click.ClickException(_("this passphrase is wrong.")) from None
    except KeyTrouble as trouble:
        raise click.ClickException(worded(trouble.sentence)) from trouble


def _troubled(work: Callable[[], Made]) -> Made:
    """What `work` makes, or a clear end of the command."""
    try:
        return work()
    except KeyTrouble as trouble:
        raise click.ClickException(worded(trouble.sentence)) from trouble
    except OSError as error:
        raise click.ClickException(str(error)) from error


def _credentials(settings: Settings) -> list[Record]:
    """The vouches this island holds, or those it was let in with while it does not run."""
    try:
        raws = [bytes.fromhex(raw) for raw in rpc.ask(settings.node.data, "raws", kinds=[Kind.VOUCH])]
    except rpc.NotRunning:
        raws = _troubled(KeyFolder(settings.node.data).credentials)
    return [decode(raw) for raw in raws]


def _minute(settings: Settings) -> int:
    """The present minute: by the island if it runs, it knows better."""
    try:
        return int(rpc.ask(settings.node.data, "status")["clock"]["now"])
    except rpc.NotRunning:
        return minute_of(SystemClock().now())


def _publish(settings: Settings, raw: bytes) -> None:
    verdict = ask(settings, "publish", raws=[base64.b64encode(raw).decode()])[0]
    if verdict not in IN_THE_SET:
        if verdict == VerdictReason.PENNED:
            raise click.ClickException(_("the set does not take it: the key that signed it may not do this."))
        raise click.ClickException(_("the set does not take it: %(reason)s.", reason=worded(explanations.verdict(verdict))))


def _public(text: str) -> bytes:
    public = _from_hex(text, 32)
    if not public:
        raise click.ClickException(_("a public key has 64 hex digits."))
    if not is_usable_key(public):
        raise click.ClickException(_("this is nobody's public key: ask for it again."))
    return public


def _from_hex(text: str, size: int) -> bytes:
    """So many octets; none if the text is not that."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return b""
    return value if len(value) == size else b""


COMMANDS = (found, join, invite, vouch_for, revoke, keys, newkey)
