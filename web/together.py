"""What belongs together, and what is handed on: all that a group signed, all at one place, one post to share."""

from urllib.parse import quote

from flask import Blueprint, abort, render_template, request

from node.board.api import Item
from web import safe_text
from web.item_display import caption, when, whole_address
from web.languages import gettext as _
from web.pages import board, fitted, kept, patience, settings
from web.public import found
from web.qr import qr

LONGEST_PLACE = 160
LONGEST_SMS = 160  # characters of one message, as phones count it; accents make it two or three
together = Blueprint("together", __name__)


@together.get("/by/<key_id>")
@kept
def signed(key_id: str) -> str:
    """All that one group, or one island, has signed: what comes by its start, then bulletins."""
    author, ids = board().author(key_id[:16]), board().signed_by(key_id[:16])
    if author is None:
        abort(404)
    begin = max(request.args.get("from", 0, type=int), 0)

    def fill(rows: int) -> dict:
        return {"author": author, "items": board().read_ids(ids[begin:begin + rows], patience()), "total": len(ids),
                "following": begin + rows if len(ids) > begin + rows else 0}

    return fitted("signed.html", fill)


@together.get("/at")
@kept
def at_place() -> str:
    """All that will be at one place."""
    place = request.args.get("place", "")[:LONGEST_PLACE].strip()
    begin = max(request.args.get("from", 0, type=int), 0)
    events = board().at_place(place, patience()) if place else []

    def fill(rows: int) -> dict:
        return {"place": place, "items": events[begin:begin + rows],
                "following": begin + rows if len(events) > begin + rows else 0}

    return fitted("place.html", fill)


@together.get("/r/<item_id>/share")
@kept
def share(item_id: str) -> str:
    """One post to hand on: its short address, that as a QR code on the screen, a text for an SMS."""
    item = found(item_id)
    address = whole_address(item)
    text = short_text(item, address)
    return render_template("share.html", item=item, whole=address, code=qr(address, address), text=text,
                           sms=f"sms:?&body={quote(text)}", wifi=settings().wifi)


def short_text(item: Item, address: str) -> str:
    """What an SMS says of a post: what, when, where, and its address. It may be read on another day."""
    moment = when(item, paper=True) if item.start is not None else ""
    place = safe_text.shortened(safe_text.one_line(item.place), 40) if item.place else ""
    said = _(", ").join(filter(None, [moment, place]))
    title = safe_text.shortened(caption(item), max(LONGEST_SMS - len(said) - len(address) - 4, 20))
    return f"{_(', ').join(filter(None, [title, said]))} {address}"
