"""What the board says in slugs, said in sentences."""

from typing import Literal

from node.board import explanations
from node.board.api import CARD_FILE, COMMAND_LINE, TOPICS, Problem
from node.board.reasons import AuditAction, ReportReason, WaitReason
from node.i18n.sentence import N_
from web.languages import gettext as _
from web.languages import said

SLUGS = {slug: number for number, slug in TOPICS.items()}

TOPIC_NAMES = {
    "demonstration": N_("Demonstration"), "meeting": N_("Meeting"), "mutual-aid": N_("Mutual aid"), "food": N_("Food"),
    "health": N_("Health"), "housing": N_("Housing"), "work": N_("Work"), "culture": N_("Culture"),
    "children": N_("Children"), "lost-found": N_("Lost and found"), "transport": N_("Transport"),
    "danger": N_("Danger"), "energy-water": N_("Energy and water"), "other": N_("Other"),
}
RULES = {"open": N_("Everybody, at once"), "moderated": N_("Everybody, after a keeper has read it"),
         "members": N_("Groups with their passphrase")}  # who may post
URGENT_RULES = {"keepers": N_("Keepers, and groups with that right"),
                "everybody": N_("Everybody who may post here")}  # who may mark a post as urgent


def topic_name(number: int) -> str:
    """A topic as people call it; a number of a later version is `Other`."""
    return _(TOPIC_NAMES[TOPICS.get(number, "other")])


def problem(what: Problem) -> str:
    """What to change in a draft, as a sentence."""
    return said(explanations.problem(what.code, what.amount))


def waits(reason: WaitReason | Literal[""]) -> str:
    """For what a post waits; "" if it is on the board."""
    return said(explanations.waits(reason)) if reason else ""


def closed(reason: str) -> str:
    """Why nothing can be posted now."""
    return f"{said(explanations.closed(reason))} {_('What you typed is still here.')}"


def time_source(slug: str) -> str:
    """Who told an island the time."""
    return said(explanations.time_source(slug))


def field_name(field: str) -> str:
    """A form field as its label names it."""
    return said(explanations.field_name(field))


def keeper_name(name: str) -> str:
    """Who acted, as the audit log names it."""
    return {COMMAND_LINE: _("on the command line"), CARD_FILE: _("the settings file on the card"),
            "": _("this island itself")}.get(name, name)


def report_name(reason: ReportReason) -> str:
    """What somebody told the keepers about a post."""
    return said(explanations.report(reason))


def action_name(slug: str) -> str:
    """What a keeper did, in words."""
    return said(explanations.action(AuditAction(slug))) if slug in explanations.ACTIONS else slug
