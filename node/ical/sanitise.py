"""Text that other programs wrote, made fit for a record: no markup, no invisible signs, no longer than it may be."""

import html
import re
import unicodedata
from html.parser import HTMLParser

from node.board.drafts import BIDI_CONTROLS, MAX_MARKS
from node.model.visible_text import shows_something

LINES = {"blockquote", "br", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
         "table", "tr", "ul"}
UNSEEN = {"style", "script", "title", "head"}
TAGS = {"a", "abbr", "b", "body", "center", "code", "em", "font", "html", "i", "iframe", "img", "s", "small", "span",
        "strong", "sub", "sup", "tbody", "td", "th", "thead", "u", *LINES, *UNSEEN}
MARKUP = re.compile(rf"</?(?:{'|'.join(sorted(TAGS))})\b[^<>]*>", re.IGNORECASE)
ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
ENDLESS = re.compile(r"&#[0-9]{8,};?")  # no sign has such a number, and Python reads none of above 4,300 digits
UNFINISHED = re.compile(r"<(?!!--)(?![^<>]*>)")  # Python's parser looks at each to the end of the text, again and again
BLANKS = re.compile(r"[ \t\n]+")  # a no-break space is as somebody typed it
MAX_READ = 10_000  # characters that are looked at
ELLIPSIS = "…"


class _Seen(HTMLParser):
    """What a browser would show of a page, with a newline for each block. Tags that nobody knows are text."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.parts.append(self.get_starttag_text() or "")
        self._unseen += tag in UNSEEN
        self.parts += ["\n"] if tag in LINES else []

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(self._unseen - (tag in UNSEEN), 0)
        self.parts += ["\n"] if tag in LINES and tag != "br" else []

    def handle_data(self, data: str) -> None:
        self.parts += [] if self._unseen else [BLANKS.sub(" ", data)]


def text_of(written: str) -> str:
    """Plain text of a description, which may be HTML: that is laid out anew, other text stays as it is."""
    written = written[:MAX_READ]
    if not MARKUP.search(written):
        return readable(_without_entities(written)).strip()
    seen = _Seen()
    seen.feed(UNFINISHED.sub("&lt;", ENDLESS.sub("\ufffd", written)))
    seen.close()
    lines = [BLANKS.sub(" ", line).strip() for line in readable("".join(seen.parts)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def line_of(written: str, most: int) -> str:
    """All of it on one line of at most `most` characters."""
    return shortened(BLANKS.sub(" ", readable(_without_entities(written[:MAX_READ]))).strip(), most)


def _without_entities(written: str) -> str:
    """With the letters that `&eacute;` and the like stand for, also where a program has written `&amp;eacute;`."""
    for _ in range(2):
        written = ENTITY.sub(lambda found: html.unescape(found[0]), written)
    return written


def readable(text: str) -> str:
    """NFC, without what `node.board.drafts.is_readable` refuses: controls, direction overrides, heaps of marks on one
    letter; "" when nothing is left that shows."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    kept, marks = [], 0
    for sign in text:
        category = unicodedata.category(sign)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = sign in BIDI_CONTROLS or (category in ("Cc", "Cs") and sign not in "\n\t")
        if not hidden and marks <= MAX_MARKS:
            kept.append(sign)
    return "".join(kept) if shows_something("".join(kept)) else ""


def shortened(text: str, most: int) -> str:
    """At most `most` characters, cut between words, with an ellipsis for what is left out."""
    if len(text) <= most:
        return text
    cut = text[:max(most - 1, 0)]
    spaced = re.sub(r"\s+\S*$", "", cut)
    return (spaced if len(spaced) > most // 2 else cut) + ELLIPSIS
