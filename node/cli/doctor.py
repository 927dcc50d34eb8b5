"""`archipel doctor`: what is wrong on this island and what to do about it, a line each."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node.cli.i18n import translated
from node.cli.serve import PortTaken, check_free
from node.daemon.ax25 import packet_ready
from node.daemon.keyfiles import KeyFolder, KeyTrouble
from node.daemon.mqtt import REMEDIES, brokers_of
from node.daemon.rpc import NotRunning, ask
from node.daemon.settings import PacketSettings, Settings
from node.model.clock import EPOCH_S
from node.model.keys import Charter
from radio.mqtt.probe import knock

OLDEST_SAFE_FIRMWARE = (2, 6, 11)  # CVE-2025-52464, CVE-2025-55293, CVE-2025-24797 are mended from here on
LOW_DISK_BYTES = 200_000_000
RADIO_PATIENCE_S, AUTO_PATIENCE_S = 30, 8
TOLD = {"up", "region-unset", "muted", "channel-missing"}  # states of a link whose radio has told everything


@dataclass(frozen=True)
class Finding:
    """One line: `level` is "ok", "note" or "bad"; `remedy` says what to do, "" when nothing."""

    level: str
    what: str
    remedy: str = ""


def examine(settings: Settings, status: dict | None = None) -> Iterator[Finding]:
    """Every finding, as it is made; `status` is the running island's, None if none runs."""
    yield from _folder(settings.node.data)
    yield from _clock(time.time(), status)  # noqa: TID251 - the doctor looks at the machine's own clock
    yield from _portal(settings, status)
    yield from _radio(settings, status)
    yield from _packet(settings.packet)
    yield from _brokers(settings, status)
    yield from _lan(settings, status)


def running_status(folder: Path) -> dict | None:
    """What the island running on `folder` says of itself, or None."""
    try:
        return ask(folder, "status")
    except NotRunning:
        return None


def _folder(folder: Path) -> Iterator[Finding]:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding("bad", f"the data folder {folder} cannot be written",
                      f"give the user that runs Archipel the right to write in {existing}, or choose another [node] data")
        return
    free = shutil.disk_usage(existing).free
    if free < LOW_DISK_BYTES:
        yield Finding("bad", f"only {free // 1_000_000} MB are free for {folder}", "make room, or use a larger card")
    else:
        yield Finding("ok", f"the data folder {folder} can be written, {free // 1_000_000_000} GB free")


def _clock(now: float, status: dict | None) -> Iterator[Finding]:
    known = (status or {}).get("clock", {})
    if known.get("sure"):
        yield Finding("ok", f"the island knows the time, from: {known.get('source')}")
    elif now < EPOCH_S + 86_400 * 600:
        yield Finding("bad", f"this machine's clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}: in the past",
                      "set it (sudo date -s '2026-05-01 18:30'), or let a keeper confirm the time on the keeper page")
    elif status is not None:
        yield Finding("note", "the island is not sure of the time", "a radio, another island or a keeper will tell it")
    else:
        yield Finding("ok", f"this machine's clock says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC")


def _portal(settings: Settings, status: dict | None) -> Iterator[Finding]:
    host, port = settings.portal.listen
    if status is not None:
        yield Finding("ok", f"the island runs; its portal listens on {host}:{port}")
        return
    try:
        check_free(settings.portal.listen)
        yield Finding("ok", f"the portal can listen on {host}:{port} (the island does not run now)")
    except PortTaken as error:
        what, _, remedy = str(error).partition(". ")
        yield Finding("bad", what, remedy)


def _radio(settings: Settings, status: dict | None) -> Iterator[Finding]:
    connect = settings.radio.connect
    if connect == "none":
        yield Finding("note", "no radio is wanted ([radio] connect = \"none\")")
        return
    told = _told_by_island(status) if status is not None else _told_by_radio(settings)
    if told is None:
        yield _no_radio(connect)
        return
    yield from radio_findings(told)


def radio_findings(told: dict) -> Iterator[Finding]:
    """What a radio's own words (`firmware`, `region`, `preset`) are worth."""
    firmware = told.get("firmware") or ""
    numbers = tuple(int(part) for part in firmware.split(".")[:3] if part.isdecimal())
    if len(numbers) == 3 and numbers < OLDEST_SAFE_FIRMWARE:
        yield Finding("bad", f"the radio's firmware {firmware} has known holes",
                      "update it to 2.6.11 or later with the Meshtastic flasher")
    else:
        yield Finding("ok", f"a radio answers, firmware {firmware or 'unknown'}, {told.get('preset') or 'preset unknown'}")
    if told.get("region") in ("", "UNSET", None):
        yield Finding("bad", "the radio's region is not set, so it does not send",
                      "set it: meshtastic --set lora.region EU_868 (or your own region)")
    else:
        yield Finding("ok", f"the radio's region is {told['region']}")


def _told_by_island(status: dict) -> dict | None:
    links = [link for link in status.get("links", []) if link.get("name") == "radio"]
    return links[0].get("radio") if links and links[0].get("state") in TOLD else None


def _told_by_radio(settings: Settings) -> dict | None:
    from radio.meshtastic.link import MeshtasticLink  # slow to import, and only needed here
    from radio.meshtastic.settings import MeshtasticSettings

    link = MeshtasticLink(MeshtasticSettings(settings.radio.connect, settings.radio.channel))
    try:
        give_up_at = time.monotonic() + (RADIO_PATIENCE_S if settings.radio.connect != "auto" else AUTO_PATIENCE_S)
        while link.state not in TOLD and time.monotonic() < give_up_at:
            time.sleep(0.2)  # noqa: TID251 - a command waits for a device
        facts = link.facts
        told = {"firmware": facts.firmware, "region": facts.region, "preset": facts.preset}
        return told if link.state in TOLD else None
    finally:
        link.close()


def _no_radio(connect: str) -> Finding:
    if connect.startswith("tcp:"):
        return Finding("bad", f"no radio answers ({connect})",
                       "is the address right, the radio on, its Wi-Fi or Ethernet on, and nobody else connected to it?")
    return Finding("note" if connect == "auto" else "bad", f"no radio answers ({connect})",
                   "plug one in by USB with a cable that carries data; the user that runs Archipel must be in the group "
                   "dialout (sudo adduser $USER dialout, then log in again)")


def _packet(packet: PacketSettings) -> Iterator[Finding]:
    if packet.connect != "none" and not packet_ready(packet):
        yield Finding("bad", "nothing is sent by packet radio: no callsign, or nobody said that it may be sent in clear",
                      "write [packet] callsign, and public = true once the members of the set know it")


def _brokers(settings: Settings, status: dict | None) -> Iterator[Finding]:
    if settings.mqtt.broker == "none":
        yield Finding("note", "no broker is wanted ([mqtt] broker = \"none\")")
        return
    up = {link["name"] for link in (status or {}).get("links", []) if link.get("up")}
    for name, broker in brokers_of(settings.mqtt, _charter(settings)).items():
        shown = translated(f"the broker {broker.where[0]}:{broker.where[1]}")
        answer = "up" if name in up else knock(broker)
        if answer != "up":
            what, remedy = REMEDIES[answer]
            yield Finding("bad", f"{shown}: {translated(what)}", remedy)
        elif name in up or status is None:
            yield Finding("ok", f"{shown} answers and lets this island in")
        else:
            yield Finding("note", f"{shown} answers, but the island is not connected yet",
                          "wait a minute; if it stays so, start the island again")


def _charter(settings: Settings) -> Charter:
    """The set's; one that leads nowhere for a folder without an island."""
    try:
        return KeyFolder(settings.node.data).charter()
    except KeyTrouble:
        return Charter.found("", [], bytes(32))


def _lan(settings: Settings, status: dict | None) -> Iterator[Finding]:
    from node.daemon.app import reachable_port  # slow to import, and only needed here
    from node.daemon.lan_discovery import own_addresses

    if not settings.lan.discover and not settings.lan.peers:
        yield Finding("note", "no other island is looked for on this network ([lan] discover = false)")
        return
    if reachable_port(settings) is None:
        yield Finding("note", "other islands on this network cannot come here: the portal listens on this machine only",
                      "write [portal] listen = \"0.0.0.0:8080\"")
    if settings.lan.discover and not own_addresses():
        yield Finding("note", "this machine is on no network", "plug in a cable, or let it join a Wi-Fi")
    elif status is not None:
        yield from lan_findings(status.get("lan", {}).get("peers", []))


def lan_findings(peers: list[dict]) -> Iterator[Finding]:
    """How the visits to other islands on this network go, as the running island tells it."""
    if not peers:
        yield Finding("note", "no other island is seen on this network",
                      "if there is one, wait a minute; some routers keep devices apart: write its address in [lan] peers")
    for peer in peers:
        if peer["up"]:
            yield Finding("ok", f"the island at {peer['name']} on this network exchanges with this one")
        elif peer["state"] == "new":
            yield Finding("note", f"the island at {peer['name']} on this network is not visited yet", "wait a minute")
        elif peer["state"] == "status-403":
            yield Finding("note", f"who is at {peer['name']} does not know this set", "is it an island of the same set?")
        else:
            yield Finding("note", f"the island at {peer['name']} on this network does not answer ({peer['state']})",
                          "is it on, and is [lan] peers right? It is tried again, less and less often")
