"""Founders' keys on pages: each is shown once as a sheet to print, then two of its words are asked for."""

from flask import render_template, request

from node.board.founding import FounderKeys
from web.languages import current
from web.qr import dense_qr

MAX_WORD = 40  # characters


def key_sheet(founders: FounderKeys, set_name: str, onwards: str) -> str:
    """The next key, this once; `onwards` is where its words are asked for."""
    key = founders.show(current().tag)
    code = dense_qr(" ".join(key.words).upper(), inline=True)
    return render_template("founders/key.html", key=key, code=code, set_name=set_name, onwards=onwards)


def check_page(template: str, founders: FounderKeys, wrong: bool = False, **more: object) -> str:
    """Which key comes next, or which of the last one's words are asked for."""
    return render_template(template, number=founders.written() + 1, count=founders.count, asked=founders.asked(),
                           wrong=wrong, **more)


def typed_words(founders: FounderKeys) -> tuple[str, ...]:
    """The words that were typed, in the order they were asked for."""
    return tuple(request.form.get(f"word{place}", "")[:MAX_WORD] for place in founders.asked())
