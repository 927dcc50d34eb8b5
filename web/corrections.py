"""What a correction changed: old and new beside each other, said in words, so that neither colour nor eyes are needed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import Markup

from node.board.api import Item
from web import safe_text
from web.item_display import when
from web.languages import gettext as _
from web.sentences import field_name, mark_names, topic_name

CONTEXT = 40  # characters of what stayed the same, shown on each side of what did not
SHOWN_PER_ROW = 60
Tokens = list[str]


@dataclass(frozen=True)
class Changed:
    """One thing that a correction changed: what it is called, what it was and what it is now ("" for nothing)."""

    label: str
    before: Markup
    now: Markup


def changes(item: Item, rows: int) -> list[Changed]:
    """What a corrected item says otherwise than `item.before`; `rows` limits how much of the text is compared."""
    if item.before is None:
        return []
    facts = [_whole(label, was, now) for (label, was), (_label, now) in zip(_facts(item.before), _facts(item), strict=True)
             if was != now]
    most = SHOWN_PER_ROW * rows
    texts = [Changed(field_name("text"), _marked(was, "del", most), _marked(now, "ins", most))
             for was, now in _regions(safe_text.plain(item.before.text), safe_text.plain(item.text))]
    return facts + texts[:rows]


def _facts(item: Item) -> Iterator[tuple[str, str]]:
    """(label, value) of everything but the text."""
    if item.start is not None:
        yield field_name("title"), safe_text.one_line(item.title)
        yield _("Day and time"), when(item)
        for name in ("place", "organiser", "link"):
            yield field_name(name), safe_text.shortened(safe_text.one_line(getattr(item, name)), 160)
        yield field_name("position"), "{:.4f}, {:.4f}".format(*item.position) if item.position else ""
    yield field_name("topic"), topic_name(item.topic)
    yield _("Marks"), " · ".join(mark_names(item.marks))


def _whole(label: str, was: str, now: str) -> Changed:
    return Changed(label, _marked(("", was, ""), "del", len(was)), _marked(("", now, ""), "ins", len(now)))


def _regions(before: str, now: str) -> Iterator[tuple[tuple[str, str, str], tuple[str, str, str]]]:
    """Where two texts differ: line by line where as many lines changed as came, else in one piece. In linear time."""
    old, new = before.strip().split("\n"), now.strip().split("\n")
    head, tail = _shared(old, new)
    old, new = old[head:len(old) - tail], new[head:len(new) - tail]
    pairs = zip(old, new, strict=True) if len(old) == len(new) else [("\n".join(old), "\n".join(new))]
    for one, other in pairs:
        if one != other:
            yield _parted(one, other)


def _parted(one: str, other: str) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Each as (what is the same before, what differs, what is the same after), cut between words."""
    old, new = re.findall(r"\S+|\s+", one), re.findall(r"\S+|\s+", other)
    head, tail = _shared(old, new)
    return _cut(old, head, tail), _cut(new, head, tail)


def _shared(old: Tokens, new: Tokens) -> tuple[int, int]:
    """How many at the beginning and how many at the end are the same; they never overlap."""
    head = _alike(zip(old, new, strict=False))
    return head, _alike(zip(reversed(old[head:]), reversed(new[head:]), strict=False))


def _alike(pairs: Iterable[tuple[str, str]]) -> int:
    """How many pairs of the same there are before the first that differs."""
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _cut(tokens: Tokens, head: int, tail: int) -> tuple[str, str, str]:
    end = len(tokens) - tail
    return "".join(tokens[:head]), "".join(tokens[head:end]), "".join(tokens[end:])


def _marked(parts: tuple[str, str, str], mark: str, most: int) -> Markup:
    """The middle part inside the element `mark`, with a little of what surrounds it; "" when nothing is there."""
    head, middle, tail = parts
    if not any(parts):
        return Markup("")
    ahead = head if len(head) <= CONTEXT else safe_text.ELLIPSIS + head[-CONTEXT:].partition(" ")[2]
    behind = tail if len(tail) <= CONTEXT else tail[:CONTEXT].rpartition(" ")[0] + safe_text.ELLIPSIS
    shown = Markup("<br>").join(safe_text.shortened(middle, most).split("\n"))
    inside = Markup("<{0}>{1}</{0}>").format(Markup(mark), shown) if middle else ""  # noqa: S704 - "del" or "ins"
    return Markup("{}{}{}").format(ahead, inside, behind)
