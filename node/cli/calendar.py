"""`archipel agenda FILE.ics` or `archipel agenda https://...`: events of another program's agenda."""

from base64 import b64encode
from datetime import datetime
from pathlib import Path

import click

from node.cli.i18n import say, translated
from node.cli.options import ask, config_option, settings_of
from node.ical.parser import MAX_FILE_BYTES
from node.model.clock import seconds_of

PROBLEMS = {
    "agenda-mark": "this is no agenda (no iCalendar file).", "agenda-size": "this agenda is too large: 2 MB at most.",
    "not-admitted": "this island may not post yet: another one has to vouch for it.",
    "stale": "the board's island was restarted meanwhile. Do it again.",
    "full": "the card is full: nothing was posted.", "read-only": "the card can no longer be written: nothing was posted.",
}
LEFT_OUT = {
    "past": "past", "too-far": "more than 400 days ahead", "lasts-too-long": "last longer than 45 days",
    "repeats": "repeated in a way that is not understood", "private": "private", "broken": "damaged or incomplete",
    "too-many": "above the 500 that are read of a file", "known": "announced here already by others",
    "older": "older than what is here", "gone": "withdrawn, hidden or cancelled here",
    "cancelled": "cancelled before they came",
    "later": "above the 50 that are taken at once: do it again later", "refused": "refused by the board",
    "share-used": "more than half of this island's share: the rest is for its neighbours",
}


@click.command("agenda")
@config_option
@click.argument("source", metavar="FILE|ADDRESS")
@click.option("--yes", is_flag=True, help="Post without asking.")
def agenda(config: Path | None, source: str, yes: bool) -> None:
    """Take over the events of another program's agenda: an iCalendar file, or its web address. Twice does no harm."""
    settings = settings_of(config)
    address = source if "://" in source else ""
    tag = ask(settings, "agenda-tag", address=address) if address else ""
    content, tag = _fetched(address, tag) if address else (_read(Path(source)), "")
    if content is None:
        say("Nothing has changed there since the last time.")
        return
    if len(content) > MAX_FILE_BYTES:
        _checked({"problem": "agenda-size"})
    told = {"content": b64encode(content).decode(), "name": Path(source).name, "address": address, "tag": tag}
    shown = _checked(ask(settings, "agenda-look", **told))
    tell(shown)
    if not shown["size"]:
        ask(settings, "agenda-take", id=shown["id"])  # nothing to post, but what was seen is remembered
        return
    if not yes:
        click.confirm(translated("Post it?"), abort=True)
    done = _checked(ask(settings, "agenda-take", id=shown["id"]))
    say(f"Posted: {len(done['new'])} new, {len(done['changed'])} changed, {len(done['cancelled'])} cancelled.")


def _checked(told: dict) -> dict:
    if told["problem"]:
        raise click.ClickException(PROBLEMS.get(told["problem"], f"this island cannot post now: {told['problem']}"))
    return told


def tell(shown: dict) -> None:
    """Say what a file brings."""
    click.echo(shown["origin"]["name"] or shown["origin"]["link"])
    say(f"{len(shown['new'])} new, {len(shown['changed'])} changed, {len(shown['cancelled'])} cancelled, "
        f"{shown['unchanged']} as they are here.")
    for mark, pile in (("+", "new"), ("*", "changed"), ("-", "cancelled")):
        for one in shown[pile]:
            click.echo(f"  {mark} {_moment(one['start'])}  {one['title']}")
    for reason, count in sorted(shown["left_out"].items()):
        say(f"left out: {count} {LEFT_OUT.get(reason, reason)}")
    if shown["size"]:
        say(f"Cost: {shown['cost']['packets']} packets, {shown['cost']['airtime_s']:.0f} s of air.")


def _moment(minute: int) -> str:
    return datetime.fromtimestamp(seconds_of(minute)).strftime("%Y-%m-%d %H:%M")


def _fetched(address: str, tag: str) -> tuple[bytes | None, str]:
    from node.daemon.fetch import NotFetched, fetch

    try:
        fetched = fetch(address, tag, MAX_FILE_BYTES)
    except NotFetched as error:
        raise click.ClickException(f"nothing could be fetched: {error}") from error
    return fetched.content, fetched.tag


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}.") from error
    return content


COMMANDS = (agenda,)
