"""Of events that were taken over from agendas elsewhere: where they come from, and which islands say so, without markup.

Pages say the same with links (`source`, in `templates/macros.html`).
"""

from node.board.api import Hearsay, Item
from web import safe_text
from web.languages import gettext as _
from web.languages import ngettext
from web.pages import board

NAMED = 3  # islands


def hearsay(item: Item) -> Hearsay | None:
    """Who tells this version of it, if that is more, or less, than one island's word."""
    heard = board().hearsay(item)
    return heard if heard and (len(heard.alike) > 1 or (heard.alike and heard.earlier)) else None


def changed(item: Item) -> int:
    """The minute of the last change, for who follows: it never falls when another island's record speaks from then on, and
    grows when islands confirm what is urgent, or no longer do."""
    heard, confirmed = board().hearsay(item), item.confirmed
    return max(item.changed, heard.latest if heard else 0, confirmed.latest if confirmed else 0)


def named(heard: Hearsay) -> list[str]:
    """The names of the first of the islands."""
    names = [safe_text.one_line(name) for name in heard.alike[:NAMED]]
    return names + ["…"] * (len(heard.alike) > NAMED)


def in_plain_words(item: Item) -> str:
    """Both in a sentence or two; "" for what people wrote."""
    if item.origin is None:
        return ""
    told = _("It comes from %(source)s.") % {"source": safe_text.one_line(item.origin.name or item.origin.site)}
    heard = hearsay(item)
    if heard is None:
        return told
    if len(heard.alike) > 1:
        said = ngettext("%(num)s island says the same: %(names)s.", "%(num)s islands say the same: %(names)s.",
                        len(heard.alike)) % {"num": len(heard.alike), "names": _(", ").join(named(heard))}
    else:
        said = ngettext("Only %(name)s says so: %(num)s island has an earlier version.",
                        "Only %(name)s says so: %(num)s islands have an earlier version.",
                        heard.earlier) % {"num": heard.earlier, "name": named(heard)[0]}
    return f"{told} {said}"
