"""One post on the keepers' desk: all that can be done about it stands together, and what people told of it beside it."""

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import BoardClosed, DraftRefused, Item, Overtaken, Problem
from node.board.reasons import ProblemCode
from node.model.record import Kind
from web.forms import Typed, typed, typed_of
from web.item_display import root_digits
from web.languages import gettext as _
from web.pages import board, fitted
from web.posting import answer_to, form_page
from web.sentences import closed, problem
from web.signin import for_keepers, is_keepers, never_kept

LONGEST_ID = 32  # digits
Page = str | tuple[str, int] | tuple[str, int, dict] | Response
desk_post = Blueprint("desk_post", __name__, url_prefix="/keeper/post")
desk_post.after_request(never_kept)


@desk_post.get("")
@for_keepers
def find() -> Page:
    """The page of the post whose address, or id, was typed."""
    typed_id = request.args.get("address", "").strip().rstrip("/").rpartition("/")[2][:LONGEST_ID]
    return redirect(url_for("desk_post.one", item_id=typed_id), 303) if typed_id else _gone()


@desk_post.get("/<item_id>")
@for_keepers
def one(item_id: str) -> Page:
    """A post, whether it waits, is shown or is hidden."""
    return _post_page(item_id)


def _post_page(item_id: str, notice: str = "") -> Page:
    waiting = board().waiting_post(item_id)
    if waiting:
        return render_template("keeper/waiting.html", post=waiting)
    item = board().kept_item(item_id)
    if item is None:
        return _gone()
    reports, hidden = sorted(board().reports_of(item), key=lambda one: one.asks), board().item(item.id) is None

    def fill(rows: int) -> dict:
        return {"item": item, "hidden": hidden, "correctable": _correctable(item), "reports": reports[-rows:],
                "report_count": len(reports), "notice": notice, "confirms": board().confirms(item),
                "may_confirm": not hidden and board().may_confirm(item)}

    return fitted("keeper/post.html", fill)


@desk_post.post("/<item_id>/confirm")
@for_keepers
def confirm(item_id: str) -> Page:
    """Say for this island that an urgent post of another one is so, or take that back (`action=back`)."""
    holds, seen = request.form.get("action") != "back", request.form.get("seen", "")[:LONGEST_ID]
    try:
        board().confirm(item_id, session["name"], holds, request.form.get("why", ""), seen)
    except DraftRefused as refused:
        return _refused(item_id, " ".join(map(problem, refused.problems)))
    except Overtaken:
        return _refused(item_id, _("It was corrected meanwhile. Please read it again, then decide."))
    return redirect(url_for("desk_post.one", item_id=item_id), 303)


def _refused(item_id: str, notice: str) -> Page:
    page = _post_page(item_id, notice)
    return (page, 422) if isinstance(page, str) else page


@desk_post.get("/<item_id>/correct")
@for_keepers
def rewrite(item_id: str) -> Page:
    """The form of a post that was posted here, to be corrected without its edit code."""
    item = board().kept_item(item_id)
    if item is None or not _correctable(item):
        return _gone()
    g.posts_as_keeper = True
    return form_page(typed_of(item), item_id=root_digits(item))


@desk_post.post("/<item_id>/correct")
def correct(item_id: str) -> Page:
    """As `web.posting.correct`. Who is signed in no more, or anew, gets everything typed back, to be sent once more."""
    what, g.posts_as_keeper = typed(request.form), True
    if not session.get("name"):
        notice = _("You are not signed in any more. Nothing is lost: sign in in another window, then send this again.")
        return form_page(what, notice, item_id), 422
    if not is_keepers(request.form.get("csrf", "")):
        return form_page(what, problem(Problem("", ProblemCode.TOKEN)), item_id), 422
    return answer_to(what, lambda draft: board().correct_as_keeper(item_id, draft, session["name"], what.why,
                                                                          what.seen), item_id, board().kept_item(item_id))


@desk_post.route("/<item_id>/cancel", methods=["GET", "POST"])
@for_keepers
def cancel(item_id: str) -> Page:
    """An event that will not take place, or a bulletin that is met: what that means (GET), and the button that says so to
    everybody."""
    item = board().kept_item(item_id)
    if item is None or not item.author.here or item.kind is Kind.REPLY or item.met is not None:
        return _gone()
    if request.method == "GET":
        return _cancel_page(item, Typed({}))
    what = typed(request.form)
    try:
        board().cancel_as_keeper(item_id, what.reason.strip(), session["name"])
    except DraftRefused as refused:
        what.problems += refused.problems
        return _cancel_page(item, what), 422
    except BoardClosed as shut:
        return _cancel_page(item, what, closed(shut.reason)), 503
    return redirect(url_for("desk_post.one", item_id=item_id), 303)


@desk_post.route("/<item_id>/withdraw", methods=["GET", "POST"])
@for_keepers
def withdraw(item_id: str) -> Page:
    """A post that is to go from every island: what that means (GET), and the button that does it."""
    if request.method == "GET":
        item = board().kept_item(item_id)
        return render_template("keeper/withdraw.html", item=item) if item and item.author.here else _gone()
    try:
        board().withdraw_as_keeper(item_id, session["name"], request.form.get("why", ""))
    except DraftRefused:
        return _gone()
    return redirect(url_for("keeper.desk"), 303)


def _cancel_page(item: Item, what: Typed, notice: str = "") -> str:
    worded = [(one.field, problem(one)) for one in what.problems]
    return render_template("keeper/cancel.html", item=item, typed=what, worded=worded, notice=notice)


def _correctable(item: Item) -> bool:
    return item.author.here and item.kind is not Kind.REPLY and item.expires > board().now()


def _gone() -> tuple[str, int]:
    return render_template("keeper/gone.html"), 404
