"""What the island's keepers want of the Wi-Fi of their box: kept in a file of its own, and ordered of who may do it.

    wifi.json    {"boot": NAME, "kept": {"box country": "FR", ...}, "now": {...}, "rests": false}

`kept` counts at each start of the box, before the island runs. `now` and `rests` count within the start of the box that is
named `boot`, so that a power cut ends a trial and a rest. On the SD image `box.py` reads it, checks it all anew, and lets
the card's file count before it. It lies in a folder of its own, as nobody but the island enters that of its records.
"""

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.daemon.keyfiles import write_private
from node.daemon.orders import Orders
from node.daemon.settings_reader import KEYS, SettingsReading, read

WIFI_FILE, WIFI_WORD = "wifi.json", "wifi"
FOLDER_VARIABLE, BOOT_VARIABLE = "ARCHIPEL_WIFI", "ARCHIPEL_BOOT"  # on the SD image: where; the name of its start
MAX_WIFI_BYTES = 8_000
WIFI_KEYS = ("portal wifi", "box wifi_password", "box country", "box channel")


@dataclass(frozen=True)
class WifiWish:
    """Settings by name, as text: those that are `kept`, those that count `now` (on trial), and whether it `rests`."""

    kept: Mapping[str, str]
    now: Mapping[str, str]
    rests: bool


class WifiOrders:
    """Tells the box of each wish that is another one, by a file in `folder`. Safe from any thread."""

    def __init__(self, folder: Path, orders: Orders, boot: str):
        self._path, self._orders, self._boot = folder / WIFI_FILE, orders, boot
        self._one_at_a_time, self._owed = threading.Lock(), False

    def wish(self, wanted: WifiWish) -> None:
        """Keep it and order it, unless that was done already; raises OSError if the card takes nothing."""
        with self._one_at_a_time:
            self._wish(wanted)

    def _wish(self, wanted: WifiWish) -> None:
        now = {"boot": self._boot, "kept": dict(wanted.kept), "now": dict(wanted.now), "rests": wanted.rests}
        told = _told(self._path)
        same_boot = told.get("boot") == self._boot
        passing = wanted.rests or wanted.kept != wanted.now
        if not self._owed and {**told, "boot": self._boot} == now and (same_boot or not passing):
            return
        if not told and not (wanted.now or wanted.rests):  # nobody has ever wished anything
            return
        self._owed = True
        write_private(self._path, json.dumps(now, ensure_ascii=False))
        self._path.chmod(0o640)  # the box's own service reads it, as one of the group
        self._orders.place(WIFI_WORD)
        self._owed = False


def _told(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError), path.open("rb") as file:
        told = json.loads(file.read(MAX_WIFI_BYTES))
        return told if isinstance(told, dict) else {}
    return {}


def wished(path: Path, boot: str) -> tuple[SettingsReading, bool]:
    """What the file asks for in the start of the box that is named `boot`, read as a settings file is, and whether the
    Wi-Fi rests. Whatever the file holds, nothing raises: what cannot be meant is passed over."""
    told = _told(path)
    same_boot = bool(boot) and told.get("boot") == boot
    wanted = told.get("now" if same_boot else "kept")
    given = wanted if isinstance(wanted, dict) else {}
    lines = []
    for key in WIFI_KEYS:
        section, name = key.split(" ")
        assert name in KEYS[section]
        if isinstance(given.get(key), str):
            lines += [f"[{section}]", f"{name} = {json.dumps(given[key], ensure_ascii=False)}"]
    return read("\n".join(lines).encode("utf-8", "replace"), WIFI_FILE), same_boot and told.get("rests") is True


def wifi_here(orders: Orders) -> WifiOrders | None:
    """The way to this machine's Wi-Fi; None where it is not the island's to set, which is all but the SD image."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    if not folder or WIFI_WORD not in orders.words:
        return None
    return WifiOrders(Path(folder), orders, os.environ.get(BOOT_VARIABLE, ""))
