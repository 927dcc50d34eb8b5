"""Where another island on the same network asks what it lacks; people never come here."""

from threading import BoundedSemaphore

from flask import Blueprint, Response, current_app, request

from web.pages import board

MAX_MESSAGE_BYTES = 1 << 20
PATIENCE_S = 5
lan = Blueprint("lan", __name__)
lan.record_once(lambda state: state.app.extensions.update(counter=BoundedSemaphore(1)))


@lan.post("/lan")
def trade() -> Response:
    """One sealed question, one sealed answer; one at a time, so that strangers cost little."""
    request.max_content_length = MAX_MESSAGE_BYTES
    message = request.get_data(cache=False)
    counter = current_app.extensions["counter"]
    if not counter.acquire(timeout=PATIENCE_S):
        return Response(status=503)
    try:
        answer = board().transfer.trade(message)
    finally:
        counter.release()
    return Response(status=403) if answer is None else Response(answer, mimetype="application/octet-stream")
