"""What in the settings of a Meshtastic radio harms an island, in words, with what to type against it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from node.i18n.sentence import Sentence, sentence

STATES = ("region-unset", "muted", "channel-missing")  # of its link
TOLD = ("", "up", *STATES)  # it has told all of this; "" if nobody says in which state it is
NO_REGION = ("", "UNSET", None)


@dataclass(frozen=True)
class RadioHarm:
    """What is the matter, what to do about it, and whether it must not wait."""

    what: Sentence
    remedy: Sentence
    presses: bool = True


HARMS: Mapping[str, RadioHarm] = {  # by states of the link, and `radio.meshtastic.facts.Facts.harms`
    "region-unset": RadioHarm(
        sentence("the radio's region is not set, so it does not send"),
        sentence("set it: archipel radio --region EU_868 (or your own region)")),
    "muted": RadioHarm(
        sentence("the radio is set not to send"), sentence("let it send: archipel radio --send")),
    "channel-missing": RadioHarm(
        sentence("the radio has no channel of the name or number in [radio] channel"),
        sentence("write the name of one that it has in [radio] channel, or leave that empty; or add the channel with a "
                 "Meshtastic app")),
    "core-ports": RadioHarm(
        sentence("the radio takes in the usual kinds of Meshtastic packets only: it hears no other island"),
        sentence("let it take in all: archipel radio --role CLIENT --pass-on ALL")),
    "known-only": RadioHarm(
        sentence("the radio hears only those that it knows already: it is deaf to a new island"),
        sentence("let it hear all: archipel radio --pass-on ALL")),
    "strict": RadioHarm(
        sentence("the radio hears signed packets only: nothing from radios with firmware before 2.8, and from others only "
                 "short packets, which this island asks for"),
        sentence("let it hear all: archipel radio --signatures balanced"), presses=False),
    "mute-role": RadioHarm(
        sentence("the radio passes on nothing of what others send"),
        sentence("if it stands well, let it help: archipel radio --role CLIENT --pass-on ALL"), presses=False),
    "odd-role": RadioHarm(
        sentence("the radio has a role that is not for an island: it may sleep, or keep messages from the island"),
        sentence("give it the usual one: archipel radio --role CLIENT")),
    "few-hops": RadioHarm(
        sentence("the radio's own packets go less far than usual: others far away cannot answer it alone"),
        sentence("let them go as far as usual: archipel radio --hops 3"), presses=False),
    "many-hops": RadioHarm(
        sentence("the radio's own packets go further than usual, and fill the channel of others"),
        sentence("let them go as far as usual: archipel radio --hops 3"), presses=False),
}


def harms_of(state: str, told: Mapping[str, Any]) -> Iterator[str]:
    """What harms, by the state of a link and what its radio `told`; another version of Archipel may tell of more."""
    if state not in TOLD:
        return
    if state in STATES:
        yield state
    elif told and told.get("region") in NO_REGION:
        yield "region-unset"
    yield from (slug for slug in told.get("harms", ()) if slug in HARMS)
