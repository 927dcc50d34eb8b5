"""The keepers' sheet: one page of A4 with what they need when the box, or one of them, is gone."""

from flask import Blueprint, render_template

from node.board.keywords import fingerprint_words
from web import dates
from web.languages import current
from web.pages import board, settings
from web.qr import qr, wifi
from web.signin import for_keepers, never_kept

DESK, LEARN = "/keeper", "/learn/trouble"  # as they are typed
desk_sheet = Blueprint("desk_sheet", __name__, url_prefix="/keeper/sheet")
desk_sheet.after_request(never_kept)


@desk_sheet.get("")
@for_keepers
def show() -> str:
    """The sheet, to print."""
    facts, node = board().sheet(), settings()
    words = fingerprint_words(facts.set_id, current().tag)
    wifi_code = qr(wifi(facts.wifi, facts.wifi_password), facts.wifi) if facts.wifi else ""
    return render_template("keeper/sheet.html", facts=facts, fingerprint=words, keepers=board().keepers(),
                           wifi_code=wifi_code, address_code=qr(facts.address, facts.address),
                           desk=facts.safe.rstrip("/") + DESK, learn=LEARN, printed=dates.here(board().now(), node.zone))
