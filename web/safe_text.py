"""People's text made fit to show: nothing of it can become markup, and nothing of it leaves its place."""

import re

from markupsafe import Markup, escape

from node.model.visible_text import plain, shows_something

LINK = re.compile(r"https?://[^\s<>\"'«»]+", re.IGNORECASE)
TRAILING = ".,;:!?…)]}»"
ELLIPSIS = "…"
A_FEW_WORDS = 30  # characters: fewer are not worth a line of their own
STOPS = " .,;:،؛"  # needless beside an ellipsis, or at the beginning of what follows it


def one_line(text: str) -> str:
    """All of it on one line."""
    return " ".join(plain(text).split())


def begun(text: str) -> str:
    """As `plain`, from the first line on that shows something."""
    lines = plain(text).strip().split("\n")
    first = next((number for number, line in enumerate(lines) if shows_something(line)), len(lines))
    return "\n".join(lines[first:])


def headline(text: str, most: int = 90) -> str:
    """The first line, cut at a word when longer than `most` characters by more than a few words."""
    line = " ".join(begun(text).split("\n", 1)[0].split())
    return line if len(line) <= most + A_FEW_WORDS else shortened(line, most)


def shortened(text: str, most: int) -> str:
    """At most `most` characters, with an ellipsis for what is left out."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    spaced = cut.rsplit(" ", 1)[0]
    return (spaced if len(spaced) > most // 2 else cut).rstrip(STOPS) + ELLIPSIS


def titled(text: str) -> str:
    """With a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def rest(text: str, most: int = 160) -> str:
    """What follows the headline, shortened; "" when the headline says it all."""
    whole, head = one_line(begun(text)), headline(text)
    left = whole[len(head.removesuffix(ELLIPSIS)):]
    return shortened((left.lstrip(STOPS) if head.endswith(ELLIPSIS) else left).strip(), most)


def body(text: str) -> str:
    """What is left to show under the headline: all of the text when the headline cuts its first line."""
    first, _newline, others = begun(text).partition("\n")
    return others if headline(text) == " ".join(first.split()) else text


def continued(text: str) -> str:
    """What is left to show under the headline: where the headline cuts its line, from there on."""
    head = headline(text)
    if not head.endswith(ELLIPSIS):
        return body(text)
    whole = begun(text).lstrip()
    begin = head.removesuffix(ELLIPSIS)
    return ELLIPSIS + whole[len(begin):].lstrip(STOPS) if whole.startswith(begin) else whole


def paragraphs(text: str) -> Markup:
    """Paragraphs and line breaks, links that tell nobody where the reader comes from, each in its own direction."""
    blocks = re.split(r"\n\s*\n", plain(text).strip())
    # lines of their own for programs that take the text without its markup
    return Markup("\n").join(Markup('<p dir="auto">{}</p>').format(_lines(block)) for block in blocks if block)


def anchor(address: str) -> Markup:
    """A link to `address` if it is one of the web, else its text alone."""
    if not LINK.fullmatch(address):
        return escape(plain(address))
    return Markup('<a href="{}" rel="nofollow noreferrer">{}</a>').format(address, shortened(address, 60))


def _lines(block: str) -> Markup:
    return Markup("<br>\n").join(linked(line) for line in block.split("\n"))


def linked(line: str) -> Markup:
    """One line, its addresses as links."""
    parts, at = [], 0
    for found in LINK.finditer(line):
        address = found.group().rstrip(TRAILING)
        parts += [escape(line[at:found.start()]), anchor(address)]
        at = found.start() + len(address)
    return Markup("").join([*parts, escape(line[at:])])
