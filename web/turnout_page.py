"""Saying "I'll be there", without a name: the button stands on the event's page."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from web.item_display import address
from web.pages import board
from web.public import found
from web.visitor import bucket

turnout_pages = Blueprint("turnout_pages", __name__)


@turnout_pages.post("/r/<item_id>/coming")
def come(item_id: str) -> Response:
    """Count who asks, once."""
    item = found(item_id)
    counted = board().come(item, bucket)
    return redirect(url_for("turnout_pages.counted", item_id=item_id) if counted else address(item), 303)


@turnout_pages.get("/r/<item_id>/coming")
def counted(item_id: str) -> str:
    """What was done with it."""
    item = found(item_id)
    return render_template("counted.html", item=item, turnout=board().turnout(item))
