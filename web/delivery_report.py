"""What a courier brought, in sentences."""

from node.board.api import Delivery, Stick
from web.languages import gettext as _
from web.languages import ngettext


def problem(slug: str) -> str:
    """Why nothing of it, or not all, was taken in; "" if there is no such reason."""
    sentences = {
        "": "",
        "nothing": _("Please choose the file or the picture you have brought, or type the letters from the paper."),
        "bundle-mark": _("This file is not the board of an island. It is called archipel, then a date, then .bundle: "
                         "it is often among the downloads of your phone."),
        "bundle-version": _("This file comes from an island with a newer program, which this one cannot read yet. "
                            "Please tell the keeper."),
        "other-set": _("This file comes from another neighbourhood, which this island does not belong to."),
        "letters": _("There is a mistake in these letters. Please compare them with the paper, group by group."),
        "picture-type": _("This file is not a whole PNG or JPEG picture."),
        "picture-bytes": _("This picture weighs too much. Please take a smaller one, of the code alone."),
        "picture-side": _("This picture is too large or too small. Please take another one, of the code alone."),
        "no-code": _("No code of a post can be read in this picture. Please take it closer, sharp and in good light, "
                     "or type the letters below the code."),
        "no-reader": _("This island cannot read pictures. Please type the letters below the code."),
        "busy": _("Others are giving their files at this moment. Please try again in a minute."),
    }
    return sentences.get(slug, _("The memory card of this island keeps nothing more at the moment. Please tell its keeper, "
                                 "and keep the file."))


def stick(state: Stick | None) -> str:
    """What goes on with a USB stick; "" if there is none."""
    if state is None:
        return ""
    if state.working:
        return _("USB stick: reading and writing. Please leave it in.")
    sentences = {
        "": _("USB stick: done, you can take it."),
        "full": _("USB stick: it is full. What it brought is taken in; you can take it."),
        "read-only": _("USB stick: it cannot be written. What it brought is taken in; you can take it."),
        "gone": _("USB stick: it was taken too early, or it is broken. Please plug it in again."),
    }
    otherwise = _("USB stick: this island keeps nothing more at the moment. Please tell its keeper.")
    end = sentences.get(state.problem, otherwise)
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
    if not brought.faults:
        return []
    if set(brought.faults) == {"cut-short"}:
        return [_("The end of the file is missing. What was there of it is taken in.")]
    return [_("The file is damaged, or somebody changed it. What was good of it is taken in.")]
