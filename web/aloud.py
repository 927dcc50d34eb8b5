"""`/agenda.ogg`: today and tomorrow read aloud, for who does not read."""

from hashlib import blake2b

from flask import Blueprint, Flask, Response, request

from node.board.spoken import SpokenAgenda
from node.model.errors import RemoteFault
from web.languages import current
from web.languages import gettext as _
from web.pages import board, patience, settings

PACKAGES = ("espeak-ng", "opus-tools")  # of Debian
aloud = Blueprint("aloud", __name__)


def reads_aloud() -> bool:
    """Whether there is a voice here."""
    speech = settings().speech
    return speech is not None and speech.able


@aloud.get("/agenda.ogg")
def agenda_ogg() -> Response:
    """The agenda as Ogg Opus in the language of the page. It is made once, and only for who has not got it already."""
    text = SpokenAgenda(board(), settings().zone, current(), patience()).text(settings().name)
    if patience().unread:
        return _told(_("This island is still reading what it has received. Please ask again in a minute."), 60)
    answer = Response(mimetype="audio/ogg")
    answer.set_etag(blake2b(f"{current().tag} {text}".encode(), digest_size=12).hexdigest())
    answer.make_conditional(request)
    if answer.status_code == 304:
        return answer
    try:
        answer.set_data(_read(text))
    except RemoteFault as fault:
        return _why_not(fault.reason)
    answer.make_conditional(request, accept_ranges=True, complete_length=len(answer.get_data()))
    return answer


def _read(text: str) -> bytes:
    speech = settings().speech
    if speech is None:
        raise RemoteFault("no-voice")
    return speech.read(text, current().tag)


def _why_not(reason: str) -> Response:
    if reason == "no-voice":
        said = _("This island has no voice: a program is missing on its machine. A keeper can install it: "
                 "sudo apt install %(package)s")
        return _told(said % {"package": " ".join(PACKAGES)})
    if reason == "busy":
        return _told(_("This island has much to do at this moment. Please try again in a minute."), 60)
    return _told(_("This could not be read aloud. The agenda is there to be read: %(address)s") % {
        "address": settings().base_url.rstrip("/") + "/agenda"})


def _told(said: str, again_s: int = 0) -> Response:
    return Response(f"{said}\n", 503, {"Retry-After": str(again_s)} if again_s else {}, mimetype="text/plain")


def add_aloud(app: Flask) -> None:
    """Let pages lead there where there is a voice."""
    app.jinja_env.globals["reads_aloud"] = reads_aloud
