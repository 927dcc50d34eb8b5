"""The commands that read the board: `archipel list`, `show`, `search`. They ask the island that runs."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from node.cli.help import command
from node.cli.language import _, ngettext, tongue
from node.cli.options import WholeNumber, ask, config_option, json_option, moment_json, post_id, settings_of, tell_json
from node.daemon.settings import Settings
from node.model.clock import seconds_of

MOST = 1000
MINUTES = ("start", "end", "created", "expires", "met")  # of an item: the moments
limit_option = click.option("--limit", type=WholeNumber(1, MOST), metavar="NUMBER", default=20, show_default=True,
                            help="How many at most.")


@command("list")
@config_option
@limit_option
@json_option
def list_(config: Path | None, limit: int, as_json: bool) -> None:
    """Show coming events and the newest bulletins."""
    _tell_items(ask(settings_of(config), "list", limit=limit), as_json, _("Nothing yet."))


@command("show")
@config_option
@click.argument("post", metavar="ID|ADDRESS")
@json_option
def show(config: Path | None, post: str, as_json: bool) -> None:
    """Show one post, with all that is said about it."""
    told = ask(settings_of(config), "show", id=post_id(post))
    if as_json:
        tell_json(item_json(told))
        return
    for line in item_lines(told):
        click.echo(line)


@command("search")
@config_option
@click.argument("words", nargs=-1, required=True)
@limit_option
@json_option
def search(config: Path | None, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find posts by their words, past ones too.

    A post is found if it holds all the WORDS; of the last one its beginning will do.
    """
    settings, typed = settings_of(config), " ".join(words)
    found = list(_found(settings, typed, limit))
    _tell_items(found, as_json, _("Nothing found."))
    unread = ask(settings, "status")["archive"]["unread"]
    if unread and not as_json:
        click.echo(ngettext("%(num)s post is still being read, and is found later.",
                            "%(num)s posts are still being read, and are found later.", unread), err=True)


def _found(settings: Settings, words: str, limit: int) -> Iterator[dict[str, Any]]:
    """What is found, asked for in parts."""
    after, left = "", limit
    while left > 0:
        page = ask(settings, "search", words=words, after=after, limit=left)
        yield from page["items"][:left]
        left, after = left - len(page["items"]), page["after"]
        if not after:
            return


def _tell_items(items: list[dict[str, Any]], as_json: bool, none: str) -> None:
    if as_json:
        tell_json([item_json(item) for item in items])
        return
    for item in items:
        click.echo(item_line(item))
    if not items:
        click.echo(none)


def item_json(item: dict[str, Any]) -> dict[str, Any]:
    """A post for programs: moments in UTC."""
    told = {name: moment_json(value) if name in MINUTES else value for name, value in item.items()}
    return told | {"replies": [item_json(reply) for reply in item["replies"]]} if item.get("replies") else told


def item_line(item: dict[str, Any]) -> str:
    """A post on one line, for people."""
    mark = "!" if item["urgent"] else " "
    headline = item["headline"]
    if item["cancelled"] is not None:
        headline = _("[cancelled] %(title)s", title=headline)
    if item["confirmed"] and not item["confirmed"]["enough"]:
        headline = _("[not confirmed] %(title)s", title=headline)
    if item["met"] is not None:
        headline = _("[settled] %(title)s", title=headline)
    if item["past"]:
        headline = _("[past] %(title)s", title=headline)
    return f"{item['id'][:8]} {mark} {_when(item)}  {headline}"


def item_lines(item: dict[str, Any]) -> Iterator[str]:
    """A post as people read it."""
    yield item_line(item)
    yield from filter(None, (item["place"], item["organiser"], item["link"]))
    if item["text"] != item["headline"] and item["text"]:
        yield ""
        yield item["text"]
    yield ""
    yield _("posted %(created)s by %(author)s, until %(expires)s", created=_local(item, "created"), author=item["author"],
            expires=_local(item, "expires"))
    if item["confirmed"] and item["confirmed"]["by"]:
        yield _("confirmed by: %(names)s", names=", ".join(item["confirmed"]["by"]))
    for reply in item["replies"]:
        yield f"  > {_local(reply, 'created')}  {reply['text']}"


def _when(item: dict[str, Any]) -> str:
    """When an event is, by the clocks there; of another post, when it was posted."""
    from node.board.spans import wall  # with them comes what writes dates, which takes a while to load
    from node.i18n.moments import Dates, Span

    if item["start"] is None:
        return _local(item, "created")
    span = Span(wall(item["start"], item["offset"]), wall(item["end"], item["end_offset"]), item["whole_days"])
    return Dates(tongue()).when(span, date.fromisoformat(item["today"]))


def _local(item: dict[str, Any], name: str) -> str:
    """One of an item's minutes by the island's clocks."""
    return datetime.fromtimestamp(seconds_of(item[name]), ZoneInfo(item["zone"])).strftime("%Y-%m-%d %H:%M")


COMMANDS = (list_, show, search)
