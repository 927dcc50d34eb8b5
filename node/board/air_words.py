"""What the status of a radio says in slugs, in sentences: for the radio page, `archipel status` and `archipel watch`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from node.i18n.sentence import N_, Plural, Sentence, entry, sentence

MINUTE_S, HOUR_S = 60, 3_600
MUCH_LOST = 0.5  # of a neighbour's packets: from here on the way is to be mended
WEAK_DB = -12.0  # LongFast is read down to some -17 dB; rain and leaves take 5
LONG_SILENCE_S = 8 * HOUR_S  # where all agree some speak each three hours only, and one time may be missed

HOLDS: Mapping[str, str] = {  # why a packet does not go now: `radio.airtime.Hold`, and what the engine adds
    "": N_("nothing holds it back"),
    "never": N_("it is longer than all that may be sent here in an hour"),
    "silence": N_("keepers want the radio to be silent"),
    "refused-by-radio": N_("the radio says that its own time on the air is used"),
    "channel-busy": N_("the channel is too busy"),
    "day-used": N_("what was saved of the day’s share is used"),
    "hour-used": N_("this hour’s air is used"),
    "only-urgent": N_("keepers let only what is urgent go"),
    "night-rest": N_("the radio rests at night"),
    "card-reserve": N_("the memory card is asked first"),
    "turn": N_("it lets others speak first"),
    "sending": N_("it is on the air"),
    "link-down": N_("the radio is away"),
}
HOLD_REMEDIES: Mapping[str, str] = {
    "never": N_("a faster preset or a larger share helps"),
    "refused-by-radio": N_("it counts what it passes on for others too: wait"),
    "channel-busy": N_("if it stays so: another channel or a faster preset, agreed with the others"),
    "day-used": N_("wait, or give it a larger share for a day"),
    "hour-used": N_("wait, or give it a larger share for a while"),
    "link-down": N_("see what is said of the radio"),
}
STATES: Mapping[str, str] = {  # of a link: `radio.meshtastic.link.MeshtasticLink.state`, and those of brokers and TNCs
    "up": N_("works"), "connecting": N_("is being connected"), "absent": N_("is not there"),
    "no-answer": N_("does not answer"), "lost": N_("was lost"), "silent": N_("says nothing any more"),
    "contested": N_("is used by another program"), "region-unset": N_("has no region, so it does not send"),
    "muted": N_("is not allowed to send"), "channel-missing": N_("lacks the channel that it is to use"),
    "closed": N_("is switched off"),
}
STATE_REMEDIES: Mapping[str, str] = {
    "absent": N_("plug it in with a cable that carries data, or check its address and that it is on"),
    "no-answer": N_("take its power away and give it back; is its firmware a Meshtastic one?"),
    "lost": N_("check cable and power; it is called again by itself"),
    "silent": N_("take its power away and give it back"),
    "contested": N_("close the app or program that talks to this radio"),
    "region-unset": N_("set its region with the Meshtastic app, such as EU_868"),
    "muted": N_("switch “transmit enabled” on with the Meshtastic app, under LoRa"),
    "channel-missing": N_("name one of its channels in [radio] channel, or leave that empty for its first"),
}
VIEWS: Mapping[str, str] = {  # how a neighbour's set compares with ours: `node.sync.lora.neighbours.View`
    "unknown": N_("not compared yet"), "same": N_("has the same"), "known": N_("differs, and it is known in what"),
    "far": N_("differs in much"),
}
QUEUED: Mapping[str, str] = {  # kinds of what waits: `node.daemon.air_status.KIND_NAMES`
    "trust": N_("rights of keys"), "urgent": N_("urgent"), "confirming": N_("confirmations"), "event": N_("events"),
    "new": N_("news"), "repair": N_("for those who lack it"),
}
CLAIMS: Mapping[str, str] = {  # on the air: `node.sync.lora.fairness.Claim`
    "urgent": N_("urgent calls"), "fair": N_("what people post"),
    "crowding": N_("who has sent much of late, and questions"),
}
SENT: Mapping[str, str] = {  # kinds of what was sent: `node.daemon.air_log.ALL_KINDS`
    "fresh": N_("news"), "repair": N_("for those who lack it"), "question": N_("questions"),
    "summary": N_("summaries"), "lead": N_("leading others to the new secret"), "text": N_("answers to hand-held radios"),
}
OUTCOMES: Mapping[str, str] = {  # of a packet: `radio.link.Outcome`
    "": N_("on the air"), "sent": N_("went out"), "too-large": N_("too long for the radio"),
    "duty-cycle": N_("refused: the radio’s time is used"), "region-unset": N_("refused: the radio has no region"),
    "queue-full": N_("refused: the radio’s queue is full"), "down": N_("not sent: the radio is away"),
    "failed": N_("refused by the radio"),
}
SECTIONS: Mapping[str, str | Plural] = {  # what a packet says: `node.daemon.air_log.told_sections`
    "record": Plural("%(num)s new record", "%(num)s new records"),
    "piece": Plural("%(num)s piece of a new record", "%(num)s pieces of new records"),
    "record-again": Plural("%(num)s record for who lacks it", "%(num)s records for who lacks them"),
    "piece-again": Plural("%(num)s piece for who lacks it", "%(num)s pieces for who lacks them"),
    "holds": Plural("“I hold %(num)s record”", "“I hold %(num)s records”"),
    "filter": Plural("“these I hold: %(num)s record”", "“these I hold: %(num)s records”"),
    "lacks": Plural("“I lack %(num)s record”", "“I lack %(num)s records”"),
    "lacks-pieces": Plural("“I lack %(num)s piece”", "“I lack %(num)s pieces”"),
    "hears": Plural("“I hear %(num)s island”", "“I hear %(num)s islands”"),
    "lead": N_("the new secret, for who has the old one"),
}
POLICIES: Mapping[str, str] = {
    "strict": N_("takes and passes on signed packets only"), "balanced": N_("prefers signed packets"),
    "compatible": N_("takes unsigned packets too"), "unknown": N_("told by the radio in a way that is not known here"),
}
AGO_S = Plural("%(num)s second ago", "%(num)s seconds ago")
AGO_MIN = Plural("%(num)s minute ago", "%(num)s minutes ago")
AGO_H = Plural("%(num)s hour ago", "%(num)s hours ago")
IN_S = Plural("in %(num)s second", "in %(num)s seconds")
NEVER = sentence("never")


@dataclass(frozen=True)
class Ear:
    """What is the matter with how a neighbour is heard, and its remedy."""

    what: Sentence
    remedy: Sentence


def worded_slug(table: Mapping[str, str], slug: str) -> Sentence:
    """An entry of a table; a slug of another version stands for itself."""
    return Sentence(table[slug]) if slug in table else Sentence("%(slug)s", {"slug": slug})


def hold(slug: str) -> Sentence:
    """Why a packet does not go now."""
    return worded_slug(HOLDS, slug)


def state(slug: str) -> Sentence:
    """How a link is."""
    return worded_slug(STATES, slug)


def section(slug: str, number: int) -> Sentence:
    """One thing that a packet says."""
    return entry(SECTIONS[slug], number) if slug in SECTIONS else worded_slug({}, slug)


def moment(wait_s: float | None, clock: Callable[[float], str]) -> Sentence:
    """When it goes; `clock` writes the time of the day that lies so many seconds ahead."""
    if wait_s is None:
        return NEVER
    if wait_s < 1:
        return sentence("now")
    if wait_s < MINUTE_S:
        return entry(IN_S, round(wait_s))
    return sentence("at %(time)s", time=clock(wait_s))


def ago(seconds: int) -> Sentence:
    """How long since."""
    if seconds < 2 * MINUTE_S:
        return entry(AGO_S, seconds)
    return entry(AGO_MIN, seconds // MINUTE_S) if seconds < 2 * HOUR_S else entry(AGO_H, seconds // HOUR_S)


def next_packet(link: Mapping[str, Any], clock: Callable[[float], str]) -> Sentence:
    """When the next packet may go and why not now, of a link as JSON; `clock` as in `moment`."""
    air = link["airtime"]
    if not link["up"]:
        return sentence("No packet goes: the radio %(state)s.", state=state(link["state"]))
    wait_s, why = air["next_send_s"], hold(air["hold"])
    if wait_s is None:
        return sentence("No packet may go: %(why)s.", why=why)
    if wait_s < 1:
        return sentence("The next packet may go now.")
    when = moment(wait_s, clock)
    if air["hold"] in ("hour-used", "day-used"):
        return sentence("The next packet goes %(when)s: %(why)s; %(kept)s s are kept for urgent calls.", when=when, why=why,
                        kept=round(air["kept_urgent_s"]))
    return sentence("The next packet goes %(when)s: %(why)s.", when=when, why=why)


def wishes(air: Mapping[str, Any], clock: Callable[[float], str]) -> Iterator[Sentence]:
    """What keepers want of the radio for a while, and until when."""
    wanted = air["wishes"]
    if wanted["silence_s"]:
        yield sentence("Keepers want silence until %(time)s.", time=clock(wanted["silence_s"]))
    if wanted["only_urgent_s"]:
        yield sentence("Until %(time)s only what is urgent goes.", time=clock(wanted["only_urgent_s"]))
    if wanted["share_s"]:
        yield sentence("Until %(time)s the share is %(part)s of what the law allows.",
                       time=clock(wanted["share_s"]), part=f"{wanted['share_percent']:.0f}\N{NO-BREAK SPACE}%")


def ear(neighbour: Mapping[str, Any]) -> Ear | None:
    """What to mend about a neighbour, the worst first; None if all is well."""
    if neighbour["heard_s_ago"] > LONG_SILENCE_S:
        return Ear(sentence("not heard for hours"), sentence("is it on? Ask its keepers"))
    if neighbour["hears_us"] is False and not neighbour["relays"]:
        return Ear(sentence("does not hear us"),
                   sentence("is our antenna screwed on, upright, of the right band? Does its place have more noise?"))
    if neighbour["away"]:
        return Ear(sentence("does not answer"), sentence("it is sent to again when it is heard"))
    if neighbour["loss"] >= MUCH_LOST:
        return Ear(sentence("half of it is lost"),
                   sentence("put one of the two antennas higher, or a relay in between"))
    if neighbour["snr_db"] is not None and neighbour["snr_db"] < WEAK_DB and not neighbour["relays"]:
        return Ear(sentence("weak"), sentence("a metre higher, or out of the window, is worth more than power"))
    return None


def heard_by(neighbour: Mapping[str, Any]) -> Sentence:
    """Whether a neighbour says that it hears us."""
    told = neighbour["hears_us"]
    return sentence("not told") if told is None else sentence("yes") if told else sentence("no")
