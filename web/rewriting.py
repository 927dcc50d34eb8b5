"""A correction keeps what its author left as it was, to the minute and the bit: forms show less than a record holds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from node.board.api import Draft, Item
from node.model.record import Kind
from web.forms import Typed, draft_of, typed_of
from web.portal_settings import WebSettings

AS_SHOWN = {  # what stands in these fields of the form -> what of the item it shows
    ("start_date", "start_time"): ("start", "offset"),
    ("position",): ("position",),
    ("language",): ("language",),
}
ENDING = ("end_date", "end_time")


def rewritten(what: Typed, item: Item, settings: WebSettings) -> Draft:
    """The draft of a correction of `item`; what could not be read is added to `what.problems`, as by `draft_of`."""
    draft = draft_of(what, settings)
    target = item.target if item.kind is Kind.REPLY else None
    kept = dict(_kept(what, item, typed_of(item, settings)))
    return replace(draft, by_radio=item.by_radio, target=target, **kept)


def _kept(what: Typed, item: Item, filled: Typed) -> Iterator[tuple[str, Any]]:
    """(name, value) of what the form still shows as it was filled in."""
    for fields, names in AS_SHOWN.items():
        if _is_untouched(what, filled, fields):
            yield from ((name, getattr(item, name)) for name in names)
    if _is_untouched(what, filled, ENDING) and item.start is not None:
        yield "end", item.end if item.end != item.start else None
    if item.start is None and ("life_days" not in what.fields or _is_untouched(what, filled, ("life_days",))):
        yield "life_days", None


def _is_untouched(what: Typed, filled: Typed, fields: tuple[str, ...]) -> bool:
    return all(getattr(what, name).strip() == getattr(filled, name) for name in fields)
