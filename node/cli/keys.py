"""The commands of those who keep a set: found, invite, join, vouch, revoke, keys, newkey, group, keeper."""

import base64
import os
import time
from datetime import datetime
from pathlib import Path

import click
import segno

from node.cli.i18n import say, translated
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
from node.model.clock import MAX_MINUTE, SystemClock, minute_of, seconds_of
from node.model.keys import SEED_BYTES, SigningKey
from node.model.passphrase import SALT_BYTES, WrongPassphrase, seal
from node.model.record import MAX_LIFE_H, Kind, Record, Revocation, Right, Vouch, decode, encode, sign

key_option = click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                          help="A keeper's key file; without it, this island's own key signs.")
REVOCATION_LIFE_H = MAX_LIFE_H[Kind.REVOCATION]


@click.command()
@config_option
@click.argument("name")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="Where to keep the founding key.")
def found(config: Path | None, name: str, key_file: Path) -> None:
    """Found the set NAME with a founding key under a passphrase, kept off this island (on a stick, say)."""
    settings = settings_of(config)
    folder = _folder_without_set(settings)
    try:
        founder = write_keeper_key(key_file, new_passphrase())
    except (KeyTrouble, OSError) as error:
        raise click.ClickException(str(error)) from error
    charter = folder.found(name, settings.node.name, founder)
    say(f"Founded “{charter.name}”, fingerprint {charter.set_id.hex()}. The founding key is in {key_file}:\n"
               "keep it and its passphrase safe and away from this island; without them nobody can be let in or put out.")


@click.command()
@config_option
@click.argument("file", type=click.File("r"))
def join(config: Path | None, file) -> None:
    """Join the set that an invitation (a FILE, or - to type it) leads to."""
    settings = settings_of(config)
    try:
        charter = _folder_without_set(settings).join(file.read(), settings.node.name)
    except (KeyTrouble, UnicodeDecodeError) as error:
        raise click.ClickException(str(error)) from error
    say(f"Joined “{charter.name}” as “{settings.node.name}”. Its fingerprint, to check with the keeper: "
               f"{charter.set_id.hex()}")
    say("Next: archipel run.")


@click.command()
@config_option
@key_option
@click.option("--days", type=click.IntRange(1, 1000), default=365, show_default=True,
              help="How long it may be used, and how long who joins with it may write.")
@click.option("--group", is_flag=True, help="For an association, union or collective rather than an island.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--qr/--no-qr", default=True, help="Show it as a QR code too.")
def invite(config: Path | None, key_file: Path | None, days: int, out: Path | None, **given: bool) -> None:
    """Prepare an invitation that lets one new island in, offline, once."""
    settings = settings_of(config)
    folder, keeper = KeyFolder(settings.node.data), _signer(settings, key_file)
    text = _troubled(lambda: folder.invite(days, keeper, _credentials(settings), given["group"]))
    if out:
        out.write_text(text + "\n", encoding="utf-8")
        say(f"Written to {out}.")
    else:
        click.echo(text)
    if given["qr"]:
        segno.make(text.replace("\n", " "), error="l").terminal(compact=True, border=2)
    say(f"Good for one island: archipel join FILE. Whoever has it can use it: give it by hand.\n"
               f"Who joins with it may write for {days} days; to let them stay longer, vouch for them (archipel vouch).")


@click.command("vouch")
@config_option
@key_option
@click.argument("public")
@click.option("--name", required=True, help="What the key will be called on every island.")
@click.option("--keeper", is_flag=True, help="May vouch for others.")
@click.option("--urgent", is_flag=True, help="May mark posts as urgent.")
@click.option("--group", is_flag=True, help="An association, union or collective.")
@click.option("--days", type=click.IntRange(1, 1000), default=730, show_default=True)
def vouch_for(config: Path | None, key_file: Path | None, public: str, name: str, days: int, **given: bool) -> None:
    """Let the key PUBLIC (64 hex digits) write."""
    settings = settings_of(config)
    rights = Right.WRITE
    for flag, right in (("keeper", Right.VOUCH), ("urgent", Right.URGENT), ("group", Right.GROUP)):
        rights |= right if given[flag] else Right(0)
    charter, signer = KeyFolder(settings.node.data).charter(), _signer(settings, key_file)
    detail = Vouch(_public(public), rights)
    _publish(settings, vouch(charter, signer, detail, name, (_minute(settings), days * 24)))
    say(f"Vouched for {name}.")


@click.command()
@config_option
@key_option
@click.argument("key_id")
@click.option("--since", type=MOMENT, help="What it signed from then on does not count; now if not given.")
def revoke(config: Path | None, key_file: Path | None, key_id: str, since: datetime | None) -> None:
    """Put out the key KEY_ID (16 hex digits, see archipel keys): a seized box, a stolen key, an author who lies."""
    settings = settings_of(config)
    charter, signer, now = KeyFolder(settings.node.data).charter(), _signer(settings, key_file), _minute(settings)
    subject = _from_hex(key_id, 8)
    if not subject:
        raise click.ClickException("a key id has 16 hex digits: see archipel keys.")
    detail = Revocation(subject, minute_of_local(since) if since else now)
    record = Record(Kind.REVOCATION, signer.key_id, now, REVOCATION_LIFE_H, detail=detail)
    _publish(settings, encode(sign(record, charter.set_id, signer.sign)))
    say("Revoked. It counts if you vouched for that key, if you are a founder, or once a second keeper agrees.")


@click.command()
@config_option
def keys(config: Path | None) -> None:
    """Who may do what in this set, founders first."""
    for key in ask(settings_of(config), "keys"):
        click.echo(key_line(key))


def key_line(key: dict) -> str:
    """One key as a person reads it."""
    until = min(key["rights"].values())
    ends = "" if until >= MAX_MINUTE else f" until {_day(until)}"
    by = f", vouched for by {key['vouched_by']}" if key["vouched_by"] else ", founder" if key["chain"] == 0 else ""
    here = " (this island)" if key["here"] else ""
    revoked = f" REVOKED since {_day(key['revoked'])}" if key["revoked"] is not None else ""
    return f"{key['id']}  {key['name']}{here}: {', '.join(key['rights'])}{ends}{by}{revoked}"


def _day(minute: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds_of(minute)))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def newkey(file: Path) -> None:
    """Make a keeper's key in FILE, under a passphrase; give its public part to a keeper to be vouched for."""
    key = _troubled(lambda: write_keeper_key(file, new_passphrase()))
    say(f"Public part, to be vouched for (archipel vouch … --keeper): {key.public.hex()}")


@click.command()
@config_option
@click.argument("name")
def group(config: Path | None, name: str) -> None:
    """Let the group NAME sign its posts on this island's portal, with a passphrase."""
    settings = settings_of(config)
    sealed_groups = ask(settings, "note", name="groups") or {}
    if name in sealed_groups:
        raise click.ClickException(f"{name} has a key here already; keys are never overwritten.")
    seed = os.urandom(SEED_BYTES)
    sealed = base64.b64encode(seal(seed, new_passphrase(), os.urandom(SALT_BYTES))).decode()
    ask(settings, "set_note", name="groups", value={**sealed_groups, name: sealed})
    say(f"{name} can sign here once a keeper vouches for its key:\n"
               f"  archipel vouch {SigningKey(seed).public.hex()} --group --name “{name}”")


@click.command()
@config_option
@click.argument("name")
@click.option("--remove", is_flag=True)
def keeper(config: Path | None, name: str, remove: bool) -> None:
    """Give the keeper NAME a password for the keepers' pages of this island (or take it away)."""
    from werkzeug.security import generate_password_hash

    settings = settings_of(config)
    keepers = ask(settings, "note", name="keepers") or {}
    keepers.pop(name, None)
    if not remove:
        keepers[name] = generate_password_hash(new_passphrase("Password"))
    ask(settings, "set_note", name="keepers", value=keepers or None)
    say(f"{name} {'has no password any more' if remove else 'can sign in at /keeper'}.")


def _folder_without_set(settings: Settings) -> KeyFolder:
    folder = KeyFolder(settings.node.data)
    if folder.charter_exists():
        raise click.ClickException(f"{settings.node.data} belongs to a set already; nothing was changed. "
                                   "For another set, choose another [node] data.")
    return folder


def _signer(settings: Settings, key_file: Path | None) -> SigningKey:
    if key_file is None:
        return _troubled(KeyFolder(settings.node.data).island_key)
    try:
        return read_keeper_key(key_file, passphrase(f"Passphrase of {key_file.name}"))
    except WrongPassphrase:
        raise click.ClickException("this passphrase is wrong.") from None
    except KeyTrouble as error:
        raise click.ClickException(str(error)) from error


def _troubled(work):
    try:
        return work()
    except (KeyTrouble, OSError) as error:
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
        return rpc.ask(settings.node.data, "status")["clock"]["now"]
    except rpc.NotRunning:
        return minute_of(SystemClock().now())


def _publish(settings: Settings, raw: bytes) -> None:
    verdict = ask(settings, "publish", raws=[base64.b64encode(raw).decode()])[0]
    if verdict not in ("kept", "duplicate"):
        sentence = translated("the key that signed it may not do this") if verdict == "penned" else verdict
        raise click.ClickException(f"the set does not take it: {sentence}.")


def _public(text: str) -> bytes:
    public = _from_hex(text, 32)
    if not public:
        raise click.ClickException("a public key has 64 hex digits.")
    return public


def _from_hex(text: str, size: int) -> bytes:
    """So many octets; none if the text is not that."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return b""
    return value if len(value) == size else b""


COMMANDS = (found, join, invite, vouch_for, revoke, keys, newkey, group, keeper)
