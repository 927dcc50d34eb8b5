"""`archipel agenda FILE.ics` or `archipel agenda https://...`: events of another program's agenda."""

from base64 import b64encode
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from node.board import explanations
from node.board.reasons import ImportProblem
from node.cli.help import command
from node.cli.language import _, say, tongue, worded
from node.cli.options import ask, config_option, json_option, moment_json, settings_of, tell_json
from node.daemon.settings import Settings
from node.ical.parser import MAX_FILE_BYTES


@command("agenda")
@config_option
@click.argument("source", metavar="FILE|ADDRESS")
@click.option("--yes", is_flag=True, help="Post without asking.")
@json_option
def agenda(config: Path | None, source: str, yes: bool, as_json: bool) -> None:
    """Take over the events of another agenda.

    It is an iCalendar file, or its web address. Twice does no harm. With --json nothing is asked: it is posted with --yes,
    and only looked at without.
    """
    settings = settings_of(config)
    address = source if "://" in source else ""
    tag = ask(settings, "agenda-tag", address=address) if address else ""
    content, tag = _fetched(settings, address, tag) if address else (_read(Path(source)), "")
    if content is None:
        tell_json({"changed": False}) if as_json else say("Nothing has changed there since the last time.")
        return
    if len(content) > MAX_FILE_BYTES:
        _checked({"problem": ImportProblem.AGENDA_SIZE})
    told = {"content": b64encode(content).decode(), "name": Path(source).name, "address": address, "tag": tag}
    shown = _checked(ask(settings, "agenda-look", **told))
    if as_json:
        tell_json(agenda_json(_taken(settings, shown) if yes or not shown["size"] else shown, posted=yes))
        return
    tell(shown)
    if shown["size"] and not yes:
        click.confirm(_("Post it?"), abort=True)
    done = _taken(settings, shown)
    if not shown["size"]:
        return
    say("Posted: %(new)s new, %(changed)s changed, %(cancelled)s cancelled.", **_counts(done))


def _taken(settings: Settings, shown: dict[str, Any]) -> dict[str, Any]:
    """Post it; where there is nothing to post, what was seen is remembered."""
    done = ask(settings, "agenda-take", id=shown["id"])
    return _checked(done) if shown["size"] else shown


def agenda_json(told: dict[str, Any], posted: bool) -> dict[str, Any]:
    """What an agenda brings, or brought, for programs."""
    piles = {pile: [{"start": moment_json(one["start"]), "title": one["title"]} for one in told[pile]]
             for pile in ("new", "changed", "cancelled")}
    return {"posted": posted, **{name: told[name] for name in ("origin", "unchanged", "left_out", "named")}, **piles}


def _checked(told: dict[str, Any]) -> dict[str, Any]:
    if told["problem"]:
        raise click.ClickException(worded(explanations.agenda(told["problem"])))
    return told


def _counts(told: dict[str, Any]) -> dict[str, int]:
    """How many events are new, changed, cancelled."""
    return {pile: len(told[pile]) for pile in ("new", "changed", "cancelled")}


def tell(shown: dict[str, Any]) -> None:
    """Say what a file brings."""
    click.echo(shown["origin"]["name"] or shown["origin"]["link"])
    say("%(new)s new, %(changed)s changed, %(cancelled)s cancelled, %(unchanged)s as they are here.",
        unchanged=shown["unchanged"], **_counts(shown))
    for mark, pile in (("+", "new"), ("*", "changed"), ("-", "cancelled")):
        for one in shown[pile]:
            click.echo(f"  {mark} {_when(one, shown['today'])}  {one['title']}")
    for reason, count in sorted(shown["left_out"].items()):
        say("left out: %(count)s %(reason)s", count=count, reason=explanations.left_out(reason))
        for title in [title for why, title in shown["named"] if why == reason]:
            click.echo(f"    {title}")
    if shown["size"]:
        say("Cost: %(packets)s packets, %(seconds)s s of air.", packets=shown["cost"]["packets"],
            seconds=f"{shown['cost']['airtime_s']:.0f}")


def _when(one: dict[str, Any], today: str) -> str:
    """When it is, by the clocks there; of what is repeated its first date, and how many there are."""
    from node.i18n.moments import Dates, Span  # they take a while to load

    span = Span(datetime.fromisoformat(one["first"]), datetime.fromisoformat(one["last"]), one["whole_days"])
    often = f" ({one['dates']} ×)" if one["dates"] > 1 else ""
    return Dates(tongue()).when(span, date.fromisoformat(today)) + often


def _fetched(settings: Settings, address: str, tag: str) -> tuple[bytes | None, str]:
    from node.daemon.fetch import Asking, NotFetched, fetch

    gather = settings.gather
    try:
        fetched = fetch(address, Asking(MAX_FILE_BYTES, tag, contact=gather.contact, allowed=gather.private))
    except NotFetched as error:
        raise click.ClickException(_("nothing could be fetched: %(why)s", why=error.sentence)) from error
    return fetched.content, fetched.tag


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


COMMANDS = (agenda,)
