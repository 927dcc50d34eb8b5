"""The week in one text (`node.board.digest`): a page to copy it from, and the same as a file."""

from flask import Blueprint, Response, request, url_for

from node.board.digest import MOST_MESSAGES, Digest, DigestForm, DigestSize
from node.board.spoken import SpokenAgenda
from node.board.text_messages import messages
from web.feeds import not_yet
from web.languages import current
from web.pages import board, fitted, kept, patience, settings

MOST_LINES = 400
digests = Blueprint("digests", __name__)


def asked_size() -> DigestSize:
    """The size of `?size=` (a form) and `?parts=` ; two text messages for who asks for no size that is known."""
    form = request.args.get("size", "")
    parts = request.args.get("parts", 2, type=int)
    return DigestSize(DigestForm(form) if form in set(DigestForm) else DigestForm.SMS, min(max(parts, 1), MOST_MESSAGES))


def _text(size: DigestSize) -> str:
    agenda = SpokenAgenda(board(), settings().zone, current(), patience())
    return Digest(agenda, settings().name, settings().base_url).text(size)


@digests.get("/digest")
@kept
def show() -> str:
    """The text, and the other sizes; what is too long for a page is in the file."""
    size = asked_size()
    text, sms = _text(size), size.form is DigestForm.SMS
    lines = text.rstrip("\n").split("\n")
    more = {"size": size, "signs": len(text), "messages": messages(text), "forms": DigestForm,
            "file": url_for("digests.as_text", size=size.form, parts=size.messages if sms else None)}
    return fitted("digest.html", lambda rows: more | {"lines": lines[:rows], "whole": rows >= len(lines)}, MOST_LINES)


@digests.get("/digest.txt")
@kept
def as_text() -> Response:
    """The text alone."""
    text = _text(asked_size())
    return not_yet() if patience().unread else Response(text, mimetype="text/plain")
