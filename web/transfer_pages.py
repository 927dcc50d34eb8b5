"""Couriers: the board as a file to carry away, and files or letters from elsewhere taken in."""

from threading import BoundedSemaphore

from flask import Blueprint, Response, current_app, make_response, request

from node.board.api import Delivery
from node.board.reasons import DeliveryProblem
from web import delivery_report
from web.item_display import today
from web.pages import board, fitted
from web.public import asked_topic
from web.request_body import blocks, expect_file

MAX_UPLOAD_BYTES = 1 << 24  # the largest bundle (`node.transfer.bundle`)
UPLOADS = 2  # at a time: each may fill the room of such a file, and keep the card busy
UNAVAILABLE = ("busy", "full", "read-only", "io-error")
transfer = Blueprint("transfer", __name__)
transfer.record_once(lambda state: state.app.extensions.update(uploads=BoundedSemaphore(UPLOADS)))


@transfer.get("/bundle")
def bundle() -> Response:
    """The board as a file, `?topic=` for one topic: without a cookie, so that the Wi-Fi pop-up window can take it too."""
    response = Response(board().transfer.bundle(asked_topic()), mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="archipel-{today().isoformat()}.bundle"'
    response.headers["Cache-Control"] = "no-store"
    return response


@transfer.get("/courier")
def show(notice: str = "") -> str:
    """What a courier does, the file to take along, where to give the one that was brought, and what came of late."""
    carried = board().transfer.carried()
    stick = delivery_report.stick(board().transfer.stick())
    return fitted("courier.html", lambda rows: {"carried": carried[:rows], "notice": notice, "stick": stick})


@transfer.post("/courier")
def deliver() -> Response:
    """Take in the file, or the letters, that somebody brought; say in words what was new."""
    expect_file(MAX_UPLOAD_BYTES)
    uploads = current_app.extensions["uploads"]
    if not uploads.acquire(blocking=False):
        return _told(Delivery(DeliveryProblem.BUSY))
    try:
        return _told(_taken())
    finally:
        uploads.release()


def _taken() -> Delivery:
    file, picture = request.files.get("file"), request.files.get("picture")
    letters = request.form.get("letters", "").strip()
    if file and file.filename:
        return board().transfer.deliver(blocks(file.stream))
    if picture and picture.filename:
        return board().transfer.deliver_picture(picture.read())
    return board().transfer.deliver_letters(letters) if letters else Delivery(DeliveryProblem.NOTHING)


def _told(brought: Delivery) -> Response:
    notice, new = delivery_report.problem(brought.problem), delivery_report.new(brought)
    if notice and not new:
        return make_response(show(notice), 503 if brought.problem in UNAVAILABLE else 422)
    rest = delivery_report.rest(brought)
    return make_response(fitted("delivered.html", lambda rows: {"items": brought.new[:rows], "new": new, "rest": rest,
                                                                "notice": notice}))
