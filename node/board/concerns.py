"""What a keeper should see to, and how: found in an island's status, for `archipel doctor` and `status` and the portal.

Core: the status is read as its JSON (`node.board.status.as_json`), whoever hands it over; what an island of another version
does not tell raises no concern.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.board.radio_harms import HARMS, harms_of
from node.board.status import RightsLack
from node.i18n.sentence import Plural, Sentence, entry, sentence
from node.model.clock import utc_day, utc_moment
from node.model.record import DAY_MIN

NEAR_SHARE, FULL_SHARE = 0.8, 0.95  # parts of a share from which it is told, and from which it presses
SOON_DAYS, PRESSING_DAYS = 60, 14  # before rights end: the whole of a summer's holidays, and of a keeper's
MOST_ENDS = 3  # keys that are told of one by one
HOT_C = 80.0  # from here on a Pi's processor slows itself down (raspberrypi.com, "Frequency management")
ON_TRIAL = {"wifi": sentence("new settings of the Wi-Fi are on trial"),
            "radio": sentence("new settings of the radio are on trial"), "": sentence("new settings are on trial")}
KEEP_TRIAL = Plural("keep them within %(num)s minute, on the page /keeper/settings; else the earlier ones come back",
                    "keep them within %(num)s minutes, on the page /keeper/settings; else the earlier ones come back")
MINUTE_S = 60
OVERDUE_S = 3 * 3_600.0  # of erasing, which is tried every hour


@dataclass(frozen=True)
class Concern:
    """`slug` for programs; `what` is the matter and its `remedy` for people; `presses`: whether it must not wait."""

    slug: str
    what: Sentence
    remedy: Sentence
    presses: bool = True


@dataclass(frozen=True)
class BrokerTrouble:
    """What is the matter with a broker, and what to do about it."""

    what: Sentence
    remedy: Sentence


ASK_FOR_LOGIN = sentence("check [mqtt] user and password with its keeper")
TROUBLES = {  # by what `radio.mqtt.probe` finds
    "files": BrokerTrouble(
        sentence("the files of certificate and key cannot be read"),
        sentence("check [mqtt] authority, certificate and key: PEM files that the user who runs Archipel may read")),
    "unknown": BrokerTrouble(sentence("its name is unknown here"), sentence("check the spelling, or write its address")),
    "absent": BrokerTrouble(
        sentence("it cannot be reached"), sentence("is it on, is the port right, does a firewall stand between?")),
    "early": BrokerTrouble(
        sentence("its certificate is not valid yet"),
        sentence("is this machine's clock behind? Set it; leave mqtts:// as it is")),
    "expired": BrokerTrouble(
        sentence("its certificate has expired"),
        sentence("is this machine's clock ahead? If it is right, ask the broker's keeper to renew the certificate")),
    "wrong-name": BrokerTrouble(
        sentence("its certificate is for another name"),
        sentence("write the broker's address in [mqtt] broker as the certificate has it, or ask its keeper")),
    "certificate": BrokerTrouble(
        sentence("it has no certificate that this machine trusts"),
        sentence("write the file of its authority in [mqtt] authority, or use mqtt:// on a network you trust")),
    "wants-certificate": BrokerTrouble(
        sentence("it wants a certificate of this island"), sentence("ask its keeper for one: [mqtt] certificate and key")),
    "tls": BrokerTrouble(
        sentence("it does not speak TLS as expected"),
        sentence("is this its TLS port (mostly 8883)? For a port without TLS write mqtt://")),
    "mute": BrokerTrouble(
        sentence("something answers, but not as a broker"), sentence("is the port right? A TLS port wants mqtts://")),
    "password": BrokerTrouble(sentence("it refuses user or password"), ASK_FOR_LOGIN),
    "not-allowed": BrokerTrouble(sentence("it does not let this island in"), ASK_FOR_LOGIN),
    "version": BrokerTrouble(sentence("it does not speak MQTT 3.1.1"), sentence("ask its keeper")),
    "client-id": BrokerTrouble(
        sentence("it wants client names of its own choice"), sentence("ask its keeper to allow any client id")),
    "unavailable": BrokerTrouble(sentence("it takes nobody at the moment"), sentence("wait, or ask its keeper")),
    "topics": BrokerTrouble(
        sentence("it lets this island in, but not to its topics"),
        sentence("ask its keeper to let it read and write archipel/#")),
    "keeps-nothing": BrokerTrouble(
        sentence("it lets this island in, but keeps nothing of what is put there"),
        sentence("ask its keeper for the right to write archipel/#, and to allow messages that stay (retained, QoS 1)")),
    "keeps-small": BrokerTrouble(
        sentence("it keeps short messages only: longer posts are lost on the way"),
        sentence("ask its keeper to allow messages of 2,200 octets (mosquitto: message_size_limit, max_packet_size)")),
}


OFFLINE = {"absent", "unknown", "unavailable"}  # the state of the link tells it: without a network it is so of all


def concerns_in(told: Mapping[str, Any]) -> Iterator[Concern]:
    """What there is to see to on an island, as its status `told`."""
    now = told.get("clock", {}).get("now", 0)
    yield from _about_brokers(told.get("links", []))
    yield from _about_radio(told.get("links", []))
    yield from _about_clock(told.get("clock", {}))
    yield from _about_rights(told.get("rights", {}), now)
    yield from _about_share(told.get("share", {}), now)
    yield from _about_erasing(told.get("erasure_owed_s"))
    yield from _about_card(told.get("card_errors", 0))
    yield from _about_secret(told.get("secret", {}))
    yield from _about_machine(told.get("machine", {}))
    yield from _about_backup(told.get("backup", {}), now)
    yield from _about_trial(told.get("trial"))
    yield from _about_founders(told.get("founder_alone", False))


def _about_brokers(links: list[Mapping[str, Any]]) -> Iterator[Concern]:
    for link in links:
        verdict = link.get("broker", {}).get("verdict", "")
        trouble = TROUBLES.get(verdict)
        if trouble is not None and (link.get("up") or verdict not in OFFLINE):
            yield Concern(f"broker-{verdict}",
                          sentence("the broker %(name)s: %(what)s", name=link["name"], what=trouble.what), trouble.remedy)


def _about_radio(links: list[Mapping[str, Any]]) -> Iterator[Concern]:
    for link in links:
        for slug in harms_of(link.get("state", ""), link.get("radio") or {}):
            harm = HARMS[slug]
            yield Concern(f"radio-{slug}", harm.what, harm.remedy, harm.presses)


def _about_clock(clock: Mapping[str, Any]) -> Iterator[Concern]:
    if clock.get("told", True):
        return
    yield Concern("clock-untold",
                  sentence("the island’s clock says %(time)s UTC, and nobody vouches for that",
                           time=utc_moment(clock["now"])),
                  sentence("let a keeper set it, on the page /keeper/clock; or give it the internet, or a radio that "
                           "receives satellites"), presses=False)


LACKS = {  # by `node.board.status.RightsLack`; each with its remedy where asking for a new vouch is none
    RightsLack.UNKNOWN: (sentence("this island may not write in its set: nobody has vouched for its key"), None),
    RightsLack.ENDED: (sentence("this island may not write in its set any more: its rights have ended"), None),
    RightsLack.CUT: (sentence("the key of this island was revoked: what is posted here is seen nowhere"),
                     sentence("if this box is still yours: wipe it, and let it join again with a new invitation")),
    RightsLack.TAKEN_BACK: (sentence("this island may not write in its set: who let it in has taken that back"), None),
    RightsLack.GIVER: (sentence("this island may not write in its set: as far as is known here, who let it in may not do "
                                "that"), None),
    RightsLack.USED: (
        sentence("this island may not write in its set: another one had come in with the same invitation before"),
        sentence("tell the keeper who gave you the invitation, as somebody has copied it; ask for a vouch, or for a new "
                 "invitation")),
    RightsLack.CLOCK: (sentence("this island may not write in its set yet: its clock is behind the day it was let in"),
                 sentence("set the clock, on the page /keeper/clock")),
}


def _about_rights(rights: Mapping[str, Any], now: int) -> Iterator[Concern]:
    """What this island itself may do, then whose rights it can renew."""
    remedy = _who_renews(rights.get("by", ()), sentence("the key of this island"))
    left_days = (rights["until"] - now) // DAY_MIN if "until" in rights else SOON_DAYS  # a founder's last for ever
    if rights.get("lack", RightsLack.NONE) in LACKS:
        what, other = LACKS[RightsLack(rights["lack"])]
        yield Concern(f"rights-{rights['lack']}", what, other or remedy)
    elif left_days < SOON_DAYS:
        what = sentence("this island may write in its set until %(day)s only; then its posts go from every board",
                        day=utc_day(rights["until"]))
        yield Concern("rights-end", what, remedy, left_days < PRESSING_DAYS)
    ends = sorted((end for end in rights.get("ends", ()) if not end["here"] and not end["invitation"]),
                  key=lambda end: int(end["until"]))
    yield from (_about_end(end, now) for end in ends[:MOST_ENDS])
    if len(ends) > MOST_ENDS:
        what = entry(Plural("the rights of %(num)s more key end soon", "the rights of %(num)s more keys end soon"),
                     len(ends) - MOST_ENDS)
        yield Concern("key-ends", what, sentence("see the page /keeper/keys (or: archipel keys)"), presses=False)


def _about_end(end: Mapping[str, Any], now: int) -> Concern:
    name, day = end["name"], utc_day(end["until"])
    what = (sentence("the rights of %(name)s end on %(day)s", name=name, day=day) if end["until"] > now else
            sentence("the rights of %(name)s ended on %(day)s", name=name, day=day))
    remedy = (sentence("if it is to stay, renew it, on the page /keeper/keys (or: archipel vouch '%(name)s')", name=name)
              if end["renewable"] else _who_renews(end["by"], name))
    return Concern("key-ends", what, remedy, presses=False)


def _who_renews(by: Sequence[str], whose: Sentence | str) -> Sentence:
    if not by:
        return sentence("ask the keeper who let this island in, or whoever keeps a founder’s key: it can renew %(whose)s "
                        "on any island (/keeper/keys)", whose=whose)
    return sentence("these can renew %(whose)s on their own island (/keeper/keys): %(names)s; a founder’s key can on any",
                    whose=whose, names=", ".join(by))


def _about_share(share: Mapping[str, Any], now: int) -> Iterator[Concern]:
    if not share:
        return
    used = max(share["records"] / share["of_records"], share["size_bytes"] / share["of_bytes"])
    if used < NEAR_SHARE:
        return
    what = sentence("the posts of this island take %(part)s of its share; when it is full, nobody can post here",
                    part=f"{int(100 * used)} %")
    remedy = sentence("keepers can take posts down; half of them will have ended by %(day)s",
                      day=utc_day(share["half_ends"]))
    yield Concern("share-near", what, remedy, used >= FULL_SHARE)


def _about_erasing(owed_s: float | None) -> Iterator[Concern]:
    if owed_s is not None and owed_s > OVERDUE_S:
        yield Concern("erasure-overdue",
                      sentence("what was withdrawn should have been erased from the card hours ago"),
                      sentence("is the card full or failing? Make room, then start the island again; if it stays so, "
                               "replace the card"))


def _about_card(errors: int) -> Iterator[Concern]:
    if errors:
        yield Concern("card-errors",
                      sentence("the memory card has failed %(errors)s times: it wears out", errors=errors),
                      sentence("take a copy of the board on a stick or a backup now, and put in another card"))


def _about_secret(secret: Mapping[str, Any]) -> Iterator[Concern]:
    if secret.get("behind"):
        yield Concern("secret-behind", sentence("the set's secret was renewed, and this island was not given the new one"),
                      sentence("ask a keeper for a new invitation into the set, and take it on the keepers’ desk, page "
                               "“The set’s secret” (or: archipel join FILE)"))


def _about_machine(machine: Mapping[str, Any]) -> Iterator[Concern]:
    if machine.get("power_weak"):
        yield Concern("power-weak", sentence("the power supply of the box is too weak: it may stop, and damage its card"),
                      sentence("use the supply that is made for this Raspberry Pi, and a short, thick cable"))
    if machine.get("temperature_c", 0.0) >= HOT_C:
        yield Concern("too-hot", sentence("the processor of the box has %(degrees)s °C and slows down",
                                          degrees=round(machine["temperature_c"])),
                      sentence("put it in the shade, and let air reach it"), presses=False)


def _about_backup(backup: Mapping[str, Any], now: int) -> Iterator[Concern]:
    if not backup or now < backup["missed"]:
        return
    last = backup.get("last")
    what = (sentence("no backup of this island was ever taken away") if last is None
            else sentence("the last backup of this island is of %(day)s", day=utc_day(last)))
    yield Concern("backup-old", what, sentence("make one, on the page /keeper/care/backup (or: archipel backup FILE)"),
                  presses=False)



def _about_trial(trial: Mapping[str, Any] | None) -> Iterator[Concern]:
    if trial:
        yield Concern("settings-trial", ON_TRIAL.get(trial["group"], ON_TRIAL[""]),
                      entry(KEEP_TRIAL, math.ceil(trial["left_s"] / MINUTE_S)), presses=False)


def _about_founders(alone: bool) -> Iterator[Concern]:
    """For keepers only: nobody else is to know which box a set dies with."""
    if alone:
        yield Concern("founder-alone",
                      sentence("this box’s own key is the only founder of the set: when the box is lost, nobody can let "
                               "islands in, renew rights or put anybody out"),
                      sentence("make founders’ keys on paper, on the page /keeper/founders"), presses=False)
