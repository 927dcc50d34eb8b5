"""What is wrong on an island and what to do about it, a finding each: for `archipel doctor` and the keepers' desk."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from node.board.care import Finding, Level
from node.board.concerns import TROUBLES, concerns_in
from node.board.explanations import time_source
from node.board.radio_harms import HARMS, NO_REGION, harms_of
from node.daemon.ax25 import packet_ready
from node.daemon.keyfiles import KeyFolder, KeyTrouble
from node.daemon.mqtt import brokers_of
from node.daemon.rpc import NotRunning, ask
from node.daemon.settings import PacketSettings, Settings
from node.daemon.settings_reader import Notice, SettingsReading, notices_in
from node.i18n.sentence import sentence
from node.model.clock import EPOCH_S, minute_of, utc_moment
from node.model.keys import Charter
from radio.mqtt.probe import knock

OLDEST_SAFE_FIRMWARE = (2, 6, 11)  # CVE-2025-52464, CVE-2025-55293, CVE-2025-24797 are mended from here on
SAME_HOUR_MIN = 60  # a machine's clock that is no further from the island's says the same
LOW_DISK_BYTES = 200_000_000
RADIO_PATIENCE_S, AUTO_PATIENCE_S = 30, 8
TOLD = {"up", "region-unset", "muted", "channel-missing"}  # states of a link whose radio has told everything


def examine(settings: Settings, status: dict[str, Any] | None = None,
            port_taken: Callable[[tuple[str, int]], Finding | None] = lambda listen: None) -> Iterator[Finding]:
    """Every finding, as it is made; `status` is the running island's, None if none runs: then `port_taken` says whether
    its portal could not listen."""
    looks = {
        "folder": _folder(settings.node.data),
        "clock": _clock(time.time(), status),  # noqa: TID251 - the doctor looks at the machine's own clock
        "portal": _portal(settings, status, port_taken),
        "radio": radio_checkup(settings, status),
        "packet": _packet(settings.packet),
        "broker": _brokers(settings, status),
        "lan": _lan(settings, status),
        "island": _island(status),
    }
    for about, findings in looks.items():
        yield from (finding if finding.about else replace(finding, about=about) for finding in findings)


def _island(status: dict[str, Any] | None) -> Iterator[Finding]:
    """What the island itself has to tell; its clock, radio and brokers are looked at above."""
    for concern in concerns_in(status or {}):
        if not concern.slug.startswith(("broker-", "clock-", "radio-")):
            yield Finding(Level.BAD if concern.presses else Level.NOTE, concern.what, concern.remedy, concern.slug)


def of_settings(reading: SettingsReading) -> Iterator[Finding]:
    """What is wrong in the settings file, or in the card's, of which the machine tells in a file of its own."""
    yield from of_notices([*(notice.line() for notice in reading.notices), *notices_in(reading.settings.portal.notices)])


def of_notices(lines: Iterable[str]) -> Iterator[Finding]:
    """The same, from the lines in which it is told."""
    for notice in map(Notice.of, lines):
        yield Finding(Level.NOTE if notice.harmless else Level.BAD, notice.sentence, about="settings")


def running_status(folder: Path) -> dict[str, Any] | None:
    """What the island running on `folder` says of itself, or None."""
    try:
        return ask(folder, "status")
    except NotRunning:
        return None


def _folder(folder: Path) -> Iterator[Finding]:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(Level.BAD, sentence("the data folder %(folder)s cannot be written", folder=str(folder)),
                      sentence("give the user that runs Archipel the right to write in %(folder)s, or choose another "
                               "[node] data", folder=str(existing)))
        return
    free = shutil.disk_usage(existing).free
    if free < LOW_DISK_BYTES:
        yield Finding(Level.BAD, sentence("only %(free)s MB are free for %(folder)s", free=free // 1_000_000,
                                          folder=str(folder)), sentence("make room, or use a larger card"))
    else:
        yield Finding(Level.OK, sentence("the data folder %(folder)s can be written, %(free)s GB free", folder=str(folder),
                                         free=free // 1_000_000_000))


def _clock(now: float, status: dict[str, Any] | None) -> Iterator[Finding]:
    known = (status or {}).get("clock", {})
    if known:
        yield from clock_findings(known, minute_of(now))
    elif now < EPOCH_S + 86_400 * 600:
        yield Finding(Level.BAD, sentence("this machine's clock says %(day)s: in the past",
                                          day=time.strftime("%Y-%m-%d", time.gmtime(now))),
                      sentence("set it (sudo date -s '2026-05-01 18:30'), or let a keeper confirm the time on the keeper "
                               "page"))
    else:
        yield Finding(Level.OK, sentence("this machine's clock says %(time)s UTC",
                                         time=time.strftime("%Y-%m-%d %H:%M", time.gmtime(now))))


def clock_findings(known: dict[str, Any], machine: int) -> Iterator[Finding]:
    """What the running island's clock is worth; `machine`: the minute by this machine's own."""
    source, now = time_source(known["source"]), utc_moment(known["now"])
    if known["sure"]:
        yield Finding(Level.OK, sentence("the island knows the time, from: %(source)s", source=source))
    elif known["told"]:
        yield Finding(Level.NOTE, sentence("the island’s clock says %(time)s UTC, and has that only from: %(source)s",
                                           time=now, source=source),
                      sentence("if that is wrong, let a keeper set it, on the page /keeper/clock"))
    else:
        alone = bool(known["others"]) or abs(known["now"] - machine) > SAME_HOUR_MIN
        concern = next(concerns_in({"clock": known}))
        yield Finding(Level.BAD if alone else Level.NOTE, concern.what, concern.remedy, concern.slug)
    for other in known["others"]:
        yield Finding(Level.NOTE if known["sure"] else Level.BAD,
                      sentence("somebody else says that it is %(time)s UTC, and is not believed: %(source)s",
                                           time=utc_moment(other["minute"]), source=time_source(other["source"])),
                      sentence("if that is right, let a keeper set the clock, on the page /keeper/clock; if not, put that "
                               "clock right"))


def _portal(settings: Settings, status: dict[str, Any] | None,
            port_taken: Callable[[tuple[str, int]], Finding | None]) -> Iterator[Finding]:
    host, port = settings.portal.listen
    if status is not None:
        yield Finding(Level.OK, sentence("the island runs; its portal listens on %(host)s:%(port)s", host=host, port=port))
        return
    yield port_taken(settings.portal.listen) or Finding(
        Level.OK,
        sentence("the portal can listen on %(host)s:%(port)s (the island does not run now)", host=host, port=port))


def radio_checkup(settings: Settings, status: dict[str, Any] | None) -> Iterator[Finding]:
    """What is to be said of the radio; `status` as in `examine`."""
    connect = settings.radio.connect
    if connect == "none":
        yield Finding(Level.NOTE, sentence("no radio is wanted ([radio] connect = \"none\")"))
        return
    told = _told_by_island(status) if status is not None else _told_by_radio(settings)
    if told is None:
        yield _no_radio(connect)
        return
    yield from radio_findings(told)


def radio_findings(told: dict[str, Any]) -> Iterator[Finding]:
    """What a radio's own words (`state` of its link, `firmware`, `region`, `preset`, `harms`) are worth."""
    firmware = told.get("firmware") or ""
    numbers = tuple(int(part) for part in firmware.split(".")[:3] if part.isdecimal())
    if len(numbers) == 3 and numbers < OLDEST_SAFE_FIRMWARE:
        yield Finding(Level.BAD, sentence("the radio's firmware %(firmware)s has known holes", firmware=firmware),
                      sentence("update it to 2.6.11 or later with the Meshtastic flasher"))
    else:
        yield Finding(Level.OK, sentence("a radio answers, firmware %(firmware)s, %(preset)s",
                                         firmware=firmware or sentence("unknown"),
                                         preset=told.get("preset") or sentence("preset unknown")))
    if told.get("region") not in NO_REGION:
        yield Finding(Level.OK, sentence("the radio's region is %(region)s", region=told["region"]))
    for slug in harms_of(told.get("state", ""), told):
        harm = HARMS[slug]
        yield Finding(Level.BAD if harm.presses else Level.NOTE, harm.what, harm.remedy, f"radio-{slug}")


def _told_by_island(status: dict[str, Any]) -> dict[str, Any] | None:
    links = [link for link in status.get("links", []) if link.get("name") == "radio"]
    if not links or links[0].get("state") not in TOLD:
        return None
    return {"state": links[0]["state"], **(links[0].get("radio") or {})}


def _told_by_radio(settings: Settings) -> dict[str, Any] | None:
    from radio.meshtastic.link import MeshtasticLink  # slow to import, and only needed here
    from radio.meshtastic.settings import MeshtasticSettings

    link = MeshtasticLink(MeshtasticSettings(settings.radio.connect, settings.radio.channel))
    try:
        give_up_at = time.monotonic() + (RADIO_PATIENCE_S if settings.radio.connect != "auto" else AUTO_PATIENCE_S)
        while link.state not in TOLD and not link.finds_none and time.monotonic() < give_up_at:
            time.sleep(0.2)  # noqa: TID251 - a command waits for a device
        facts = link.facts
        told = {"state": link.state, "firmware": facts.firmware, "region": facts.region, "preset": facts.preset,
                "harms": facts.harms}
        return told if link.state in TOLD else None
    finally:
        link.close()


def _no_radio(connect: str) -> Finding:
    what = sentence("no radio answers (%(connect)s)", connect=connect)
    if connect.startswith("tcp:"):
        return Finding(Level.BAD, what,
                       sentence("is the address right, the radio on, its Wi-Fi or Ethernet on, and nobody else connected "
                                "to it?"))
    return Finding(Level.NOTE if connect == "auto" else Level.BAD, what,
                   sentence("plug one in by USB with a cable that carries data; the user that runs Archipel must be in the "
                            "group dialout (sudo adduser $USER dialout, then log in again)"))


def _packet(packet: PacketSettings) -> Iterator[Finding]:
    if packet.connect != "none" and not packet_ready(packet):
        yield Finding(Level.BAD,
                      sentence("nothing is sent by packet radio: no callsign, or nobody said that it may be sent in clear"),
                      sentence("write [packet] callsign, and public = true once the members of the set know it"))


def _brokers(settings: Settings, status: dict[str, Any] | None) -> Iterator[Finding]:
    if settings.mqtt.broker == "none":
        yield Finding(Level.NOTE, sentence("no broker is wanted ([mqtt] broker = \"none\")"))
        return
    up = {link["name"] for link in (status or {}).get("links", []) if link.get("up")}
    for name, broker in brokers_of(settings.mqtt, _charter(settings)).items():
        where = f"{broker.where[0]}:{broker.where[1]}"
        answer = knock(broker)
        if answer != "up":
            trouble = TROUBLES[answer]
            yield Finding(Level.BAD, sentence("the broker %(address)s: %(what)s", address=where, what=trouble.what),
                          trouble.remedy, f"broker-{answer}")
        elif name in up or status is None:
            yield Finding(Level.OK, sentence("the broker %(address)s lets this island in and keeps what it puts there",
                                             address=where))
        else:
            yield Finding(Level.NOTE,
                          sentence("the broker %(address)s answers, but the island is not connected yet", address=where),
                          sentence("wait a minute; if it stays so, start the island again"))


def _charter(settings: Settings) -> Charter:
    """The set's; one that leads nowhere for a folder without an island."""
    try:
        return KeyFolder(settings.node.data).charter()
    except KeyTrouble:
        return Charter.found("", [], bytes(32))


def _lan(settings: Settings, status: dict[str, Any] | None) -> Iterator[Finding]:
    from node.daemon.lan_discovery import own_addresses, reachable_port  # slow to import, and only needed here

    if not settings.lan.discover and not settings.lan.peers:
        yield Finding(Level.NOTE, sentence("no other island is looked for on this network ([lan] discover = false)"))
        return
    if reachable_port(settings) is None:
        yield Finding(Level.NOTE,
                      sentence("other islands on this network cannot come here: the portal listens on this machine only"),
                      sentence("write [portal] listen = \"0.0.0.0:8080\""))
    if settings.lan.discover and not own_addresses():
        yield Finding(Level.NOTE, sentence("this machine is on no network"),
                      sentence("plug in a cable, or let it join a Wi-Fi"))
    elif status is not None:
        yield from lan_findings(status.get("lan", {}).get("peers", []))


def lan_findings(peers: list[dict[str, Any]]) -> Iterator[Finding]:
    """How the visits to other islands on this network go, as the running island tells it."""
    if not peers:
        yield Finding(Level.NOTE, sentence("no other island is seen on this network"),
                      sentence("if there is one, wait a minute; some routers keep devices apart: write its address in "
                               "[lan] peers"))
    yield from map(_peer, peers)


def _peer(peer: dict[str, Any]) -> Finding:
    name, state = peer["name"], peer["state"]
    if peer["up"]:
        return Finding(Level.OK,
                       sentence("the island at %(address)s on this network exchanges with this one", address=name))
    if state == "new":
        return Finding(Level.NOTE, sentence("the island at %(address)s on this network is not visited yet", address=name),
                       sentence("wait a minute"))
    if state == "status-403":
        return Finding(Level.NOTE, sentence("who is at %(address)s on this network does not know this set", address=name),
                       sentence("is it an island of the same set?"))
    return Finding(Level.NOTE, sentence("the island at %(address)s on this network does not answer (%(state)s)",
                                        address=name, state=state),
                   sentence("is it on, and is [lan] peers right? It is tried again, less and less often"))
