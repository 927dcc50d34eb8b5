"""What a courier brought, in sentences."""

from node.board import explanations
from node.board.api import Delivery, Stick
from web.languages import gettext as _
from web.languages import ngettext, said


def problem(slug: str) -> str:
    """Why nothing of it, or not all, was taken in; "" if there is no such reason."""
    return said(explanations.delivery(slug)) if slug else ""


def stick(state: Stick | None) -> str:
    """What goes on with a USB stick; "" if there is none."""
    if state is None:
        return ""
    if state.working:
        return _("USB stick: reading and writing. Please leave it in.")
    end = said(explanations.stick(state.problem))
    more = ngettext("%(num)s new record.", "%(num)s new records.", state.new) % {"num": state.new}
    return f"{end} {more}" if state.new else end


def new(brought: Delivery) -> list[str]:
    """What was new, a phrase for each kind."""
    counted = [
        (brought.bulletins, lambda n: ngettext("%(num)s bulletin", "%(num)s bulletins", n)),
        (brought.events, lambda n: ngettext("%(num)s event", "%(num)s events", n)),
        (brought.replies, lambda n: ngettext("%(num)s reply", "%(num)s replies", n)),
        (brought.changes, lambda n: ngettext("%(num)s withdrawal or cancellation",
                                             "%(num)s withdrawals or cancellations", n)),
        (brought.keys, lambda n: ngettext("%(num)s paper about who may write", "%(num)s papers about who may write", n)),
    ]
    return [phrase(count) % {"num": count} for count, phrase in counted if count]


def rest(brought: Delivery) -> list[str]:
    """What became of everything else, a sentence each."""
    counted = [
        (brought.known, lambda n: ngettext("%(num)s record was known here already.",
                                           "%(num)s records were known here already.", n)),
        (brought.outdated, lambda n: ngettext("%(num)s record is out of date or withdrawn, and was left out.",
                                              "%(num)s records are out of date or withdrawn, and were left out.", n)),
        (brought.waiting, lambda n: ngettext("%(num)s record waits until its author is known here.",
                                             "%(num)s records wait until their authors are known here.", n)),
        (brought.bad, lambda n: ngettext("%(num)s record is forged or damaged, and was left out.",
                                         "%(num)s records are forged or damaged, and were left out.", n)),
    ]
    return [sentence(count) % {"num": count} for count, sentence in counted if count] + _faults(brought)


def _faults(brought: Delivery) -> list[str]:
    found = _("; ").join(map(said, explanations.faults(brought.faults)))
    return [_("Careful: %(faults)s. What was good of it is taken in.") % {"faults": found}] if found else []
