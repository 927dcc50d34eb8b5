"""What the running island answers to the command line (`node.daemon.rpc`)."""

import base64
from dataclasses import asdict, replace
from typing import Protocol

from node.board.api import CARD_FILE, COMMAND_LINE, Draft, DraftRefused, ImportSummary
from node.board.board import Board
from node.board.spans import span_of
from node.board.status import as_json
from node.daemon.rpc import Handler, RefusalReason, Refused
from node.daemon.rpc_board import today, told, zone_of
from node.daemon.runner import Runner
from node.daemon.secret_keeper import SecretKeeper
from node.model.marks import Marks
from node.model.record import Kind
from node.replica.liveset import LiveSet
from node.store.index import Slice
from node.store.journalstore import JournalStore
from web.sentences import MARKS
from web.typed_events import TypedTimes

LISTED = 1000


class AnsweringIsland(Protocol):
    """What of `node.daemon.app.App` is needed."""

    board: Board
    liveset: LiveSet
    runner: Runner
    secret: SecretKeeper
    store: JournalStore


def handlers(island: AnsweringIsland) -> dict[str, Handler]:
    """By the name of the request."""
    return {
        "status": lambda request: as_json(island.board.status()) | {"founder_alone": island.board.founding.alone()},
        "post": lambda request: post(island.board, request["draft"]),
        "list": lambda request: listed(island.board, request["limit"]),
        "raws": lambda request: raws(island, request["kinds"]),
        "groups": lambda request: island.board.groups(),
        "group-seal": lambda request: island.board.group_seal(request["name"]),
        "add-group": lambda request: island.board.add_group(request["name"], request["sealed"], COMMAND_LINE),
        "reseal-group": lambda request: island.board.reseal_group(
            request["name"], request["before"], request["after"], COMMAND_LINE),
        "remove-group": lambda request: island.board.remove_group(request["name"], COMMAND_LINE),
        "backed-up": lambda request: island.board.backed_up(request["size"], "command", COMMAND_LINE),
        "keepers": lambda request: keepers(island.board),
        "set-keeper": lambda request: island.board.set_keeper(
            request["name"], request["password_hash"], CARD_FILE if request["from_card"] else COMMAND_LINE,
            request["from_card"]),
        "remove-keeper": lambda request: island.board.remove_keeper(request["name"], COMMAND_LINE),
        "catch-up": lambda request: island.runner.call(lambda: island.secret.catch_up(request["text"])),
        "street-map": lambda request: island.board.set_streets(request["svg"].encode(), COMMAND_LINE),
        "agenda-tag": lambda request: island.board.imports.tag(request["address"]),
        "agenda-look": lambda request: look(island.board, request),
        "agenda-take": lambda request: brief(island.board.imports.take(request["id"], COMMAND_LINE)),
    }


def post(board: Board, given: dict) -> dict:
    """Post what the command line typed: its moments as people write them, by the island's clocks."""
    kind = Kind.EVENT if "title" in given else Kind.BULLETIN
    typed = {f"{name}_date": given.pop(name, "") for name in ("start", "end", "publish_at")}
    times = TypedTimes(typed | {"whole_day": "1" if given.pop("whole_day", False) else ""}, zone_of(board), board.now(), [])
    marks = Marks(sum(mark for slug, mark in MARKS.items() if given.pop(slug.replace("-", "_"), False)))
    draft = Draft(kind, publish_at=times.moment("publish_at", "publish_at"), marks=marks, **{
        ("life_days" if key == "days" else key): value for key, value in given.items()})
    try:
        if kind is Kind.EVENT and (event := times.event()):
            draft = replace(draft, start=event.start, end=event.end if event.length else None, offset=event.offset,
                            whole_days=event.whole_days, shifts=event.shifts)
        if times.problems:
            raise DraftRefused(times.problems)
        posted = board.post(draft)
    except DraftRefused as refused:
        raise Refused(RefusalReason.DRAFT, problems=[asdict(problem) for problem in refused.problems]) from refused
    return {"id": posted.id, "word": posted.edit_code, "waiting": posted.waiting, **vars(posted.cost)}


def look(board: Board, request: dict) -> dict:
    """What an agenda of another program brings; its file comes in base64."""
    content = base64.b64decode(request["content"])
    shown = board.imports.look(content, request["name"], request["address"], request["tag"])
    return brief(shown) | {"today": today(board)}


def brief(intake: ImportSummary) -> dict:
    """As JSON."""
    piles = {name: [_planned(one) for one in getattr(intake, name)] for name in ("new", "changed", "cancelled")}
    return {"id": intake.id, "problem": intake.problem, "origin": vars(intake.origin), "unchanged": intake.unchanged,
            "left_out": dict(intake.left_out), "named": intake.named, "cost": vars(intake.cost), "size": intake.size,
            **piles}


def _planned(draft: Draft) -> dict:
    """Of an event its title, its start, by the clocks there when its first date is, and how many dates it has."""
    span, event = span_of(draft), draft.event
    return {"title": draft.title, "start": draft.start, "first": span.first.isoformat(), "last": span.last.isoformat(),
            "whole_days": span.whole_days, "dates": event.repetition.count if event and event.repetition else 1}


def listed(board: Board, limit: int) -> list[dict]:
    """Coming events by start, then the newest bulletins."""
    items, after = board.events(board.now(), board.now() + 366 * 1440, limit=limit), None
    while len(items) < limit and after != "":
        page = board.bulletins(after=after or "", limit=limit - len(items))
        items, after = items + page.items, page.after
    return [told(item, board) for item in items[:limit]]


def raws(island: AnsweringIsland, kinds: list[int]) -> list[str]:
    """Live records of some kinds, encoded, in hexadecimal, oldest first; 1,000 at most."""
    rows, _ = island.store.page(Slice(kinds=kinds), limit=LISTED)
    return [raw.hex() for row in rows if (raw := island.liveset.raw(row.id))]


def keepers(board: Board) -> dict[str, dict[str, str]]:
    """Password hashes by keeper: of those who can sign in, and of what the card's settings file has given."""
    return {"here": dict(board.notes.state.keepers), "card": dict(board.notes.state.card_keepers)}
