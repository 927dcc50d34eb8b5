"""Telling the keepers about a post, or asking them for what an edit code would do: without a name, and bounded."""

from flask import Blueprint, render_template, request

from node.board.api import Item
from node.board.reasons import ReportReason
from node.board.reporting import MAX_REPORT
from web.forms import Typed, typed
from web.pages import board
from web.posting import NEVER_KEPT, attempt, tokens
from web.public import found
from web.sentences import problem
from web.visitor import visitor

MINE = (ReportReason.MINE_CHANGE, ReportReason.MINE_WITHDRAW)
report_pages = Blueprint("report_pages", __name__)


@report_pages.get("/r/<item_id>/tell")
def tell(item_id: str) -> str:
    """The form; with `?mine=1` for who has lost the edit code."""
    return _form(found(item_id), Typed({}), bool(request.args.get("mine")))


@report_pages.post("/r/<item_id>/tell")
def send(item_id: str) -> tuple[str, int, dict]:
    """Tell the keepers."""
    item, what, mine = found(item_id), typed(request.form), bool(request.form.get("mine"))
    report, notice = attempt(what, lambda forgotten: board().report(item.id, what.reason, what.text, visitor()))
    if report is None:
        return _form(item, what, mine, notice), 422, NEVER_KEPT
    return render_template("told.html", item=item, mine=mine), 200, NEVER_KEPT


def _form(item: Item, what: Typed, mine: bool, notice: str = "") -> str:
    mine = mine and item.author.here
    reasons = [reason for reason in ReportReason if (reason in MINE) is mine]
    worded = list(dict.fromkeys((one.field, problem(one)) for one in what.problems))
    return render_template("tell.html", item=item, typed=what, mine=mine, reasons=reasons, notice=notice, worded=worded,
                           token=tokens().issue(), most=MAX_REPORT)
