"""What the board answers to the command line (`node.daemon.rpc`) about single posts: read, searched, hidden, withdrawn."""

from typing import Any
from zoneinfo import ZoneInfo

from node.board import explanations
from node.board.api import COMMAND_LINE, DraftRefused, Item
from node.board.board import Board
from node.board.clearing import UNDO_MIN
from node.board.island_settings import ZONE
from node.board.items import root_of
from node.board.spans import wall
from node.daemon.rpc import Handler
from node.i18n.sentence import Explained, sentence
from node.model.zones import quarters
from web.sentences import mark_slugs

FOUND = 100  # posts in one answer: of the longest texts so many fit a line of `node.daemon.rpc`
HEADLINE = 100  # characters


def board_handlers(board: Board) -> dict[str, Handler]:
    """By the name of the request."""
    return {
        "show": lambda request: whole(_found(board, request["id"]), board),
        "search": lambda request: searched(board, request["words"], request["after"], request["limit"]),
        "hide": lambda request: hide(board, request["id"], request["hidden"], request["reason"]),
        "confirm": lambda request: confirm(board, request["id"], request["holds"], request["reason"]),
        "retract-look": lambda request: told(_own(board, request["id"]), board),
        "retract": lambda request: retract(board, request["id"], request["reason"]),
        "retract-undo": lambda request: undo(board, request["id"]),
    }


def searched(board: Board, words: str, after: str, limit: int) -> dict[str, Any]:
    """A part of what is found, and the mark of what follows."""
    page = board.search(words, after, min(limit, FOUND))
    return {"items": [whole(item, board) for item in page.items], "after": page.after}


def hide(board: Board, item_id: str, hidden: bool, reason: str) -> dict[str, Any]:
    """Show it no more on this island, or again; raises Explained for what is not there."""
    item = _found(board, item_id, hidden=not hidden)
    board.hide(root_of(item).hex(), hidden, COMMAND_LINE, reason)
    return told(item, board) | {"root": root_of(item).hex()}


def confirm(board: Board, item_id: str, holds: bool, reason: str) -> dict[str, Any]:
    """Say for this island that an urgent post of another one is so, or take that back; raises Explained."""
    try:
        return told(board.confirm(_found(board, item_id).id, COMMAND_LINE, holds, reason), board)
    except DraftRefused as refused:
        first = refused.problems[0]
        raise Explained(explanations.problem(first.code, first.amount)) from refused


def retract(board: Board, item_id: str, reason: str) -> dict[str, Any]:
    """Withdraw what this island signed, as keepers do on their pages: for some minutes it may be undone."""
    item = _own(board, item_id)
    if board.waiting_post(item.id):
        board.refuse(item.id, COMMAND_LINE, reason)
    else:
        board.withdraw_as_keeper(item.id, COMMAND_LINE, reason)
    return told(item, board) | {"root": root_of(item).hex(), "minutes": UNDO_MIN}


def undo(board: Board, item_id: str) -> dict[str, Any]:
    """Bring back what was withdrawn, with all that was withdrawn at the same press: how many `posts` that were."""
    state = board.notes.state
    cleared = {root.hex(): one for root, one in state.cleared.items()}
    cleared |= {id_: post.cleared for id_, post in state.waiting.items() if post.cleared}
    found = next((one for id_, one in cleared.items() if id_.startswith(item_id) or item_id.startswith(id_)), None)
    posts = board.undo(found.id, COMMAND_LINE) if found else 0
    if not posts:
        raise Explained(sentence("nothing of that is left to bring back: it was not withdrawn, or too long ago."))
    return {"posts": posts}


def told(item: Item, board: Board) -> dict[str, Any]:
    """An item as JSON, in a line; `past`: it has ended. `zone` is the island's, `today` its day."""
    now, zone = board.now(), zone_of(board)
    headline = item.title or item.text.strip().split("\n")[0]
    return {"id": item.id, "kind": item.kind.name.lower(), "headline": headline[:HEADLINE], "urgent": item.urgent,
            "created": item.created, "expires": item.expires, "start": item.start, "end": item.end,
            "offset": item.offset, "end_offset": item.end_offset, "whole_days": item.whole_days,
            "zone": zone.key, "today": today(board),
            "cancelled": item.cancelled, "met": item.met, "confirmed": confirmed(item), "marks": mark_slugs(item.marks),
            "author": item.author.name, "here": item.author.here,
            "past": item.expires <= now}


def confirmed(item: Item) -> dict[str, Any] | None:
    """Of an urgent post, the names of the islands that confirm it, and how many are needed here; None of any other."""
    if item.confirmed is None:
        return None
    return {"by": [author.name for author in item.confirmed.by], "needed": item.confirmed.needed,
            "enough": item.confirmed.enough}


def today(board: Board) -> str:
    """The day by the island's clocks."""
    now, zone = board.now(), zone_of(board)
    return wall(now, quarters(zone, now)).date().isoformat()


def zone_of(board: Board) -> ZoneInfo:
    """Where the island is."""
    return ZoneInfo(board.settings.view().settings[ZONE].value)


def whole(item: Item, board: Board) -> dict[str, Any]:
    """All of an item as JSON."""
    return told(item, board) | {
        "title": item.title, "text": item.text, "place": item.place, "organiser": item.organiser, "link": item.link,
        "position": item.position, "topic": item.topic, "language": item.language, "corrected": item.corrected,
        "replies": [whole(reply, board) for reply in item.replies]}


def _found(board: Board, item_id: str, hidden: bool = False) -> Item:
    """A post by its id or its first digits, one that is hidden here if asked for; raises Explained."""
    item = next((one for one in board.hidden() if _is(one, item_id)), None) if hidden else board.item(item_id)
    if item is None:
        raise Explained(sentence("there is no post %(id)s here. Those there are: archipel list, archipel search",
                                 id=item_id))
    return item


def _is(item: Item, item_id: str) -> bool:
    return item.id.startswith(item_id) or root_of(item).hex().startswith(item_id[:16])


def _own(board: Board, item_id: str) -> Item:
    """A live post that this island signed, or one that waits here; raises Explained."""
    waiting = board.waiting_post(item_id)
    if waiting:
        return waiting.item
    item = board.kept_item(item_id) or _found(board, item_id)  # also what is hidden here
    if item.expires <= board.now():
        raise Explained(sentence("that post is past already: only what is on the board can be withdrawn."))
    if not item.author.here:
        raise Explained(sentence("%(author)s signed that post, not this island: it can only be hidden here (archipel "
                                 "hide).", author=item.author.name))
    return item
