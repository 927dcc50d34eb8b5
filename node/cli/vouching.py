"""The commands about who may do what in the set: keys, invite, vouch, revoke, renew."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.board.keyring import INVITED_DAYS, MOST_DAYS, RENEWED_DAYS, KeyRole, TypedKey
from node.cli.help import command
from node.cli.language import _, ngettext, say, worded
from node.cli.options import (
    MOMENT,
    WholeNumber,
    ask,
    config_option,
    json_option,
    minute_of_local,
    passphrase,
    settings_of,
    tell_json,
)
from node.daemon import rpc
from node.daemon.file_trouble import why
from node.daemon.keyfiles import KeyFolder, KeyTrouble, read_key_file, write_private
from node.daemon.keyring import key_in
from node.daemon.settings import Settings
from node.i18n.sentence import N_, Explained
from node.model.clock import SystemClock, minute_of, utc_day, utc_moment
from node.model.record import DAY_MIN, MAX_WAIT_MIN

key_option = click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                          help="A keeper's key file; without it, this island's own key signs.")
words_option = click.option("--words", is_flag=True, help="Sign with a key that is kept as words: they are asked for.")
RIGHTS = {"write": N_("may write"), "vouch": N_("may vouch"), "urgent": N_("may mark as urgent"), "group": N_("is a group"),
          "invite": N_("may invite")}


@command()
@config_option
@json_option
def keys(config: Path | None, as_json: bool) -> None:
    """Show who may do what in this set, and until when.

    Founders come first; each key stands below the one that vouched for it.
    """
    told = ask(settings_of(config), "keys")
    if as_json:
        tell_json(told)
        return
    names = {key["id"]: key["name"] for key in told}
    for key in told:
        click.echo(key_line(key, names))


def key_line(key: dict[str, Any], names: dict[str, str]) -> str:
    """One key as a person reads it, in its place in the tree."""
    named = key["name"] if key["name"] != key["id"] else _("(no name)")
    return f"{'  ' * key['depth']}{key['id']}  {named}: {_('; ').join(_remarks(key, names))}"


def _remarks(key: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    yield from _what_it_may(key)
    if key["until"]:
        yield _("until %(day)s", day=utc_day(key["until"]))
    if key["here"]:
        yield _("this island")
    givers = [link["giver"] for link in key["links"] if link["giver"] != key["id"]]
    if givers:
        yield _("vouched for by %(name)s", name=_(", ").join(dict.fromkeys(names.get(one, one) for one in givers)))
    if key["renewable"]:
        yield _("can be renewed here")


def _what_it_may(key: dict[str, Any]) -> Iterator[str]:
    if key["cut"] is not None:
        yield _("REVOKED since %(day)s", day=utc_day(key["cut"]))
    elif key["role"] == KeyRole.INVITATION:
        yield _("an invitation that nobody has used yet")
    else:
        if key["role"] == KeyRole.FOUNDER:
            yield _("founder")
        yield _(", ").join(_(RIGHTS.get(right, right)) for right in key["rights"]) or _("nothing any more")
        if key["ended"]:
            yield _("since %(day)s", day=utc_day(key["ended"]))


@command()
@config_option
@key_option
@words_option
@click.option("--days", type=WholeNumber(1, MOST_DAYS), metavar="DAYS", default=INVITED_DAYS, show_default=True,
              help="How long it may be used, and how long who joins with it may write.")
@click.option("--group", is_flag=True, help="For an association, union or collective rather than an island.")
@click.option("--keeper", is_flag=True,
              help="For another keeper's island: once it has joined, it is proposed to let it vouch.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--qr/--no-qr", default=True, help="Show it as a QR code too.")
def invite(config: Path | None, out: Path | None, qr: bool, **asked: Any) -> None:
    """Prepare an invitation that lets one new island in."""
    settings = settings_of(config)
    text, until = _invited(settings, asked)
    if out:
        try:
            write_private(out, text + "\n")
        except OSError as error:
            raise click.ClickException(_("%(file)s cannot be written (%(error)s).", file=str(out),
                                         error=why(error))) from error
        say("Written to %(file)s.", file=str(out))
    else:
        click.echo(text)
    if qr:
        import segno

        segno.make("".join(text.split()), error="l").terminal(compact=True, border=2)
    say("Good for one island: archipel join FILE. Whoever has it can use it: give it by hand.\n"
        "Who joins with it may write until %(day)s; to let them stay longer, renew it (archipel vouch NAME).",
        day=utc_day(until))


def _invited(settings: Settings, asked: dict[str, Any]) -> tuple[str, int]:
    """The letters of an invitation, and the minute it ends: by the running island, or into its folder while it rests."""
    wish = {name: asked[name] for name in ("days", "group", "keeper")}
    key = _typed_key(asked["key_file"], asked["words"])
    try:
        rpc.ask(settings.node.data, "status")
    except rpc.NotRunning:
        try:
            signer = key_in(TypedKey(key["key"], key.get("passphrase", ""))) if key else None
            letters = KeyFolder(settings.node.data).invite(asked["days"], signer, asked["group"])
            return letters, minute_of(SystemClock().now()) + asked["days"] * DAY_MIN
        except Explained as trouble:
            raise click.ClickException(worded(trouble.sentence)) from trouble
    made = ask(settings, "key-invite", **wish, **key)
    return made["letters"], made["until"]


@command("vouch")
@config_option
@key_option
@words_option
@click.argument("who")
@click.option("--name", default="", help="What the key will be called on every island.")
@click.option("--keeper", is_flag=True, help="May vouch for others.")
@click.option("--urgent", is_flag=True, help="May mark posts as urgent.")
@click.option("--group", is_flag=True, help="An association, union or collective.")
@click.option("--days", type=WholeNumber(1, MOST_DAYS), metavar="DAYS", default=RENEWED_DAYS, show_default=True,
              help="How long it may write.")
def vouch_for(config: Path | None, who: str, name: str, days: int, **asked: Any) -> None:
    """Let the key WHO write here, or let it stay.

    WHO is a name or a number of 16 digits from archipel keys, or a whole public key (64 hex digits). A key that is known
    keeps its name and its rights; what is asked for here comes on top.
    """
    settings = settings_of(config)
    more = [right for flag, right in (("keeper", "vouch"), ("urgent", "urgent"), ("group", "group")) if asked[flag]]
    told = ask(settings, "key-vouch", who=who, name=name, days=days, more=more,
               **_typed_key(asked["key_file"], asked["words"]))
    say("Vouched for %(name)s, until %(day)s.", name=told["name"], day=utc_day(told["until"]))


@command()
@config_option
@key_option
@words_option
@click.argument("who")
@click.option("--since", type=MOMENT, metavar="'YYYY-MM-DD HH:MM'",
              help="What it signed from then on does not count; now if not given.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
def revoke(config: Path | None, who: str, since: datetime | None, yes: bool, **asked: Any) -> None:
    """Put out the key WHO.

    For a seized box, a stolen key, an author who lies. WHO is a name or a number of 16 digits from archipel keys. What
    would fall with it is shown first.
    """
    settings = settings_of(config)
    preview = ask(settings, "key-look", who=who, since=minute_of_local(since) if since else None,
                  **_typed_key(asked["key_file"], asked["words"]))
    for line in preview_lines(preview):
        click.echo(line)
    if not yes:
        click.confirm(_("Revoke it? That cannot be taken back."), abort=True)
    ask(settings, "key-revoke", label=preview["label"])
    say("Revoked.")


@command()
@config_option
@key_option
@words_option
@click.option("--hours", type=WholeNumber(0, MAX_WAIT_MIN // 60), metavar="HOURS", default=1, show_default=True,
              help="How long until the new secret is used; 0 if a card was stolen.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def renew(config: Path | None, hours: int, yes: bool, **asked: Any) -> None:
    """Renew the set's secret, so that whoever left reads no more.

    A founder's key signs. Every island whose key may write gets the new secret by every way; first revoke who has left.
    """
    settings = settings_of(config)
    told = ask(settings, "secret-look", hours=hours, **_typed_key(asked["key_file"], asked["words"]))
    say("They get the new secret: %(names)s.", names=_(", ").join(told["names"]))
    if told["left_out"]:
        say("Left out, and reading nothing from then on: %(names)s.", names=_(", ").join(told["left_out"]))
    say("Invitations that nobody has used yet will not do any more: make new ones afterwards.")
    if not yes:
        click.confirm(_("Renew the secret?"), abort=True)
    since = ask(settings, "secret-renew", label=told["label"])
    say("Renewed. Islands go over to the new secret at %(time)s UTC; one that is off follows when it comes back.",
        time=utc_moment(since))


def preview_lines(preview: dict[str, Any]) -> Iterator[str]:
    """What revoking a key would do, as a person reads it."""
    if preview["cuts"]:
        day, _space, time = utc_moment(preview["since"]).partition(" ")
        yield _("The key ends for ever: what it signs from %(day)s, %(time)s on counts for nothing, whoever vouches for "
                "it.", day=day, time=f"{time} UTC")
    else:
        if preview["takes_back"]:
            yield _("What this key gave it ends at once.")
        yield ngettext("The key itself ends only once %(num)s more keeper agrees, on another island.",
                       "The key itself ends only once %(num)s more keepers agree, on other islands.", preview["lacking"])
    if preview["losing"]:
        yield _("These lose rights with it: %(names)s.", names=_(", ").join(preview["losing"]))
    if preview["invitations"]:
        yield ngettext("%(num)s invitation that nobody has used ends.",
                       "%(num)s invitations that nobody has used end.", preview["invitations"])
    if preview["posts"]:
        yield ngettext("%(num)s post goes from every board.", "%(num)s posts go from every board.", preview["posts"])
    if preview["here"]:
        yield _("This island itself would lose rights by it.")


def _typed_key(key_file: Path | None, words: bool) -> dict[str, str]:
    """The key that is to sign, as the running island reads it (`node.board.keyring.TypedKey`); {} for its own."""
    if words:
        return {"key": passphrase(_("The 24 words of the key"))}
    if key_file is None:
        return {}
    try:
        text = read_key_file(key_file)
    except KeyTrouble as trouble:
        raise click.ClickException(worded(trouble.sentence)) from trouble
    return {"key": text, "passphrase": passphrase(_("Passphrase of %(file)s", file=key_file.name))}


COMMANDS = (keys, invite, vouch_for, revoke, renew)
