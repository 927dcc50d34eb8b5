"""A correction keeps what its author left as it was, to the minute and the bit: forms show less than a record holds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from node.board.api import Draft, Item
from node.model.record import Kind
from web.forms import Typed, draft_of, typed_of
from web.portal_settings import WebSettings

AS_SHOWN = {"position": "position", "language": "language"}  # a field of the form -> what of the item it shows
MOMENTS = ("start_date", "start_time", "end_date", "end_time", "whole_day", "repeat", "repeat_until", "repeat_times", "off",
           "moved")


def rewritten(what: Typed, item: Item, settings: WebSettings, now: int) -> Draft:
    """The draft of a correction of `item`; what could not be read is added to `what.problems`, as by `draft_of`."""
    draft = draft_of(what, settings, now)
    target = item.target if item.kind is Kind.REPLY else None
    return replace(draft, by_radio=item.by_radio, target=target, **dict(_kept(what, item, typed_of(item))))


def _kept(what: Typed, item: Item, filled: Typed) -> Iterator[tuple[str, Any]]:
    """(name, value) of what the form still shows as it was filled in."""
    for field, name in AS_SHOWN.items():
        if _is_untouched(what, filled, (field,)):
            yield name, getattr(item, name)
    if item.event and _is_untouched(what, filled, MOMENTS):
        yield "start", item.event.start
        yield "end", item.event.end if item.event.length else None
        yield from ((name, getattr(item.event, name)) for name in ("offset", "whole_days", "shifts", "repetition"))
    if item.start is None and ("life_days" not in what.fields or _is_untouched(what, filled, ("life_days",))):
        yield "life_days", None


def _is_untouched(what: Typed, filled: Typed, fields: tuple[str, ...]) -> bool:
    return all(getattr(what, name).strip() == getattr(filled, name) for name in fields)
