"""Cards for new boxes on the keepers' desk: what is in the reader, what is to be on the card, a second look, how far it is.

The page asks for itself again while the box works; nothing here needs a script.
"""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board import cards
from node.board.cards import KEEPER, KEEPER_PASSWORD, CardRefused, CardStage, CardWish
from node.board.island_settings import COUNTRY, LANGUAGE, NAME, WIFI_NAME, WIFI_PASSWORD, ZONE
from node.board.keyring import INVITED_DAYS
from node.i18n.sentence import Explained
from web.desk_care import octets
from web.desk_keys import typed_key
from web.languages import said
from web.pages import board
from web.signin import for_keepers, never_kept

WAIT_S = 3  # between two looks at what is under way
FIELDS = {"name": NAME, "language": LANGUAGE, "timezone": ZONE, "country": COUNTRY, "wifi": WIFI_NAME,
          "wifi_password": WIFI_PASSWORD, "keeper": KEEPER, "keeper_password": KEEPER_PASSWORD}
MAX_TYPED = 200
AT_WORK = (CardStage.BLANKING, CardStage.WRITING, CardStage.CHECKING)
Page = str | tuple[str, int] | Response
desk_card = Blueprint("desk_card", __name__, url_prefix="/keeper/card")
desk_card.after_request(never_kept)


@desk_card.context_processor
def words() -> dict:
    """What these templates say."""
    return {"octets": octets, "wait_s": WAIT_S, "at_work": AT_WORK, "rights": board().keyring.rights()}


@desk_card.get("")
@for_keepers
def show() -> str:
    """What is in the readers, or how far a card is."""
    return _show()


def _show(notice: str = "") -> str:
    maker = board().cards
    return render_template("keeper/card.html", here=maker.here(), state=maker.state(), notice=notice)


@desk_card.post("/look")
@for_keepers
def look() -> Page:
    """Have the box look into its readers."""
    try:
        board().cards.look()
    except CardRefused as refused:
        return _show(said(refused.sentence)), 422
    return redirect(url_for("desk_card.show"), 303)


@desk_card.route("/<reader>/<seen>", methods=["GET", "POST"])
@for_keepers
def choose(reader: str, seen: str) -> Page:
    """What is to be on the card; (POST) the second look at it."""
    maker = board().cards
    try:
        view = maker.reader(CardWish(reader, seen))
    except CardRefused as refused:
        return _show(said(refused.sentence)), 409
    typed: Mapping[str, str] = request.form if request.method == "POST" else _offered()
    if request.method == "POST":
        settings = {key: typed.get(field, "")[:MAX_TYPED] for field, key in FIELDS.items()}
        days = request.form.get("days", INVITED_DAYS, type=int) if typed.get("invite") else 0
        try:
            label = maker.prepare(CardWish(reader, seen, settings, max(days, 0), bool(typed.get("board"))))
        except CardRefused as refused:
            return _choose(view, typed, said(refused.sentence)), 422
        return _sure(label)
    return _choose(view, typed)


def _offered() -> dict[str, str]:
    standard = board().cards.standard()
    offered = {field: standard[key] for field, key in FIELDS.items() if key in standard}
    return offered | {"days": str(INVITED_DAYS)}


def _choose(view: cards.ReaderView, typed: Mapping[str, str], notice: str = "") -> str:
    return render_template("keeper/card_choose.html", view=view, typed=typed, notice=notice, invited_days=INVITED_DAYS,
                           coming=board().keyring.secret().coming)


def _sure(label: str, notice: str = "") -> Page:
    """The second look, with the card's size and name."""
    wish = board().cards.prepared(label)
    if wish is None:
        return _show(said(cards.FORGOTTEN)), 409
    try:
        view = board().cards.reader(wish)
    except CardRefused as refused:
        return _show(said(refused.sentence)), 409
    chosen = {field: wish.settings[key] for field, key in FIELDS.items() if key in wish.settings}
    return render_template("keeper/card_sure.html", view=view, label=label, wish=wish, chosen=chosen, notice=notice,
                           typed=request.form)


@desk_card.post("/write")
@for_keepers
def write() -> Page:
    """Have it written."""
    label = request.form.get("label", "")
    try:
        board().cards.write(label, session["name"], typed_key(), request.form.get("why", ""))
    except CardRefused as refused:
        return _show(said(refused.sentence)), 409
    except Explained as refused:  # the island may not let others in: a key may be typed
        return _with_status(_sure(label, said(refused.sentence)), 422)
    return redirect(url_for("desk_card.show"), 303)


def _with_status(page: Page, status: int) -> Page:
    return (page, status) if isinstance(page, str) else page
