"""What the board says in slugs, said in sentences."""

from node.board.api import TOPICS, Problem
from web.languages import gettext as _
from web.languages import ngettext

SLUGS = {slug: number for number, slug in TOPICS.items()}


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogues; `gettext` says it when it is shown."""
    return sentence


TOPIC_NAMES = {
    "demonstration": N_("Demonstration"), "meeting": N_("Meeting"), "mutual-aid": N_("Mutual aid"), "food": N_("Food"),
    "health": N_("Health"), "housing": N_("Housing"), "work": N_("Work"), "culture": N_("Culture"),
    "children": N_("Children"), "lost-found": N_("Lost and found"), "transport": N_("Transport"),
    "danger": N_("Danger"), "energy-water": N_("Energy and water"), "other": N_("Other"),
}


def topic_name(number: int) -> str:
    """A topic as people call it; a number of a later version is `Other`."""
    return _(TOPIC_NAMES[TOPICS.get(number, "other")])


def problem(what: Problem) -> str:
    """What to change in a draft, as a sentence."""
    counted = _counted(what)
    if counted:
        return counted
    sentences = {
        "empty": _("Please write something here."),
        "control-character": _("This text holds an invisible character that cannot be posted. Please type it again."),
        "not-offered": _("Please choose one from the list."),
        "start-missing": _("Please say on what day and at what time it starts, for example 21/03/2026 and 18:30."),
        "end-before-start": _("It ends before it starts. Please change one of the two."),
        "past": _("This moment has passed. Please choose a later one."),
        "moment": _("This date or time cannot be read. Please write it like 21/03/2026 and 18:30."),
        "offset": _("This date or time cannot be read. Please write it like 21/03/2026 and 18:30."),
        "link": _("A link begins with http:// or https:// and holds no space."),
        "position": _("Please write the position as two numbers, for example 48.8722, 2.3767."),
        "urgent-not-allowed": _("Only those who have been given this right may mark a post urgent."),
        "target-gone": _("What this is about is no longer on the board."),
        "not-yours": _("This was posted by someone else and cannot be changed here."),
        "word-wrong": _("This is not the private word of this post. Please check each letter."),
        "group-unknown": _("No group of this name posts here."),
        "passphrase-wrong": _("This is not the passphrase of this group."),
        "members-only": _("Only groups post on this island: please choose yours and give its passphrase."),
        "share-used": _("This island already shows as many posts as it may. Please withdraw an old one, or try later."),
        "picture-type": _("This file is not a whole PNG or JPEG picture."),
        "picture-corners": _("Please say where the two corners are: the first one north and west of the second."),
        "token": _("This page had been open for too long. Nothing is lost: please look it over and send it again."),
    }
    return sentences.get(what.code, _("This cannot be posted as it is. Please change it."))


def _counted(what: Problem) -> str:
    match what.code:
        case "too-long":
            return ngettext("Please shorten this by about %(num)s character.",
                            "Please shorten this by about %(num)s characters.", what.amount) % {"num": what.amount}
        case "life":
            return ngettext("A post stays %(num)s day at most.", "A post stays between 1 and %(num)s days.",
                            what.amount) % {"num": what.amount}
        case "too-far":
            return ngettext("This is more than %(num)s day ahead. Please choose an earlier date.",
                            "This is more than %(num)s days ahead. Please choose an earlier date.",
                            what.amount) % {"num": what.amount}
        case "lasts-too-long":
            return ngettext("An event lasts %(num)s day at most. Please announce it in parts.",
                            "An event lasts %(num)s days at most. Please announce it in parts.",
                            what.amount) % {"num": what.amount}
        case "picture-bytes":
            return _("This picture weighs too much: %(num)s kB at most. Please save it smaller, or in fewer colours.") % {
                "num": what.amount}
        case "picture-side":
            return _("This picture is too large or too small: %(num)s pixels a side at most.") % {"num": what.amount}
    return ""


def closed(reason: str) -> str:
    """Why nothing can be posted now."""
    sentences = {
        "not-admitted": _("This island may not post yet, or no longer: a keeper of the neighbourhood must vouch for it. "
                          "What you typed is still here; please tell its keeper."),
        "waiting-full": _("Too many posts wait for the keepers here. What you typed is still here; "
                          "please try again later."),
        "full": _("The memory card of this island is full. What you typed is still here; please tell its keeper."),
        "read-only": _("The memory card of this island can no longer be written. Please tell its keeper."),
    }
    return sentences.get(reason, _("This island cannot keep posts at the moment. What you typed is still here; "
                                   "please try again in a few minutes."))


def field_name(field: str) -> str:
    """A form field as its label names it."""
    names = {
        "text": _("Text"), "title": _("Title"), "place": _("Place"), "organiser": _("Who organises it"),
        "link": _("Link"), "start": _("Start"), "end": _("End"), "topic": _("Topic"), "language": _("Language of the text"),
        "life_days": _("Days it stays on the board"), "position": _("Position"), "publish_at": _("Publish later"),
        "word": _("Private word"), "group": _("Group"), "passphrase": _("Passphrase"), "urgent": _("Urgent"),
        "reason": _("Reason"),
    }
    return names.get(field, _("This post"))


def deed(slug: str) -> str:
    """What a keeper did, in words."""
    names = {
        "hide": _("stopped showing a post"), "show": _("showed a post again"), "approve": _("approved a post"),
        "refuse": _("refused a post"), "posting": _("changed who may post"), "outline": _("changed the outline of the map"),
        "picture": _("changed the picture of the map"),
        "clock": _("set the clock"), "import": _("took over an agenda"),
    }
    return names.get(slug, slug)
