"""What people told the keepers about posts, and how people reach the keepers."""

from itertools import islice

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import DraftRefused
from node.board.reporting import MAX_CONTACT
from web.pages import board, fitted
from web.sentences import problem
from web.signin import for_keepers, never_kept

Page = str | tuple[str, int] | Response
desk_reports = Blueprint("desk_reports", __name__, url_prefix="/keeper")
desk_reports.after_request(never_kept)


@desk_reports.get("/reports")
@for_keepers
def show() -> str:
    """Posts of which something was reported, the latest first, and what can be done about each."""
    begin = max(request.args.get("from", 0, type=int), 0)

    def fill(rows: int) -> dict:
        page = list(islice(board().reported(), begin, begin + rows + 1))
        return {"reported": page[:rows], "begin": begin, "following": begin + rows if len(page) > rows else 0,
                "count": board().count_reports()}

    return fitted("keeper/reports.html", fill)


@desk_reports.post("/reports/settle")
@for_keepers
def settle() -> Response:
    """Nothing is to be done about a post: what was reported about it is forgotten."""
    board().settle_reports(request.form.get("id", ""), session["name"], request.form.get("why", ""))
    return redirect(url_for("desk_reports.show" if board().count_reported() else "keeper.desk"), 303)


@desk_reports.route("/reports/settle-all", methods=["GET", "POST"])
@for_keepers
def settle_all() -> Page:
    """Forget all that was reported, after a second look (GET)."""
    if request.method == "GET":
        return render_template("keeper/settle_all.html", count=board().count_reports())
    board().settle_all_reports(session["name"], request.form.get("why", ""))
    return redirect(url_for("keeper.desk"), 303)


@desk_reports.route("/contact", methods=["GET", "POST"])
@for_keepers
def contact() -> Page:
    """How people reach the keepers: a line at the foot of every page."""
    wish = request.form.get("contact", "")
    if request.method == "GET":
        return _contact_page(board().contact())
    try:
        board().set_contact(wish, session["name"], request.form.get("why", ""))
    except DraftRefused as refused:
        return _contact_page(wish, " ".join(map(problem, refused.problems))), 422
    return redirect(url_for("desk_reports.contact", done=1), 303)


def _contact_page(wish: str, notice: str = "") -> str:
    return render_template("keeper/contact.html", wish=wish, notice=notice, most=MAX_CONTACT)
