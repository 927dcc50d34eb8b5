"""A year of a neighbourhood's traffic in accelerated time: python -m tests.load.year [--days 365] [--seed 1]

One real island (`node.daemon.app`: journal, archive, portal, maintenance) never starts anew. Each day neighbours post,
correct, withdraw and report on its pages, which are read; records of twenty authors come by air and in bulk, strangers' and
forged ones among them. From the month on in which the archive has begun to forget, memory (Python's own and the process's),
files, their size, descriptors and threads are to stay what they are. A line a month, JSON last.
"""

import argparse
import gc
import json
import os
import random
import sys
import tempfile
import threading
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

from node.board.api import Draft
from node.board.pace import Visitor
from node.board.reasons import ReportReason
from node.daemon import app as app_module
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import ArchiveSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.event import Event
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right, Vouch, encode, sign
from node.sync.events import PacketReceived
from node.sync.lora import packets
from node.sync.lora.packets import Packet, Whole
from tests.daemon.test_a_year import DAY_S, let_pass, size_of, started

AUTHORS, MONTH_DAYS, KEEP_DAYS, LIFE_DAYS = 20, 30, 60, 14
POSTS, COME, PAGES = 3, 30, 10  # a day
PATHS = ("/", "/agenda", "/bulletins", "/past", "/topics/food", "/search?q=soupe", "/agenda.ics", "/feed.atom", "/map",
         "/wall", "/bundle", "/weekly")
MORE_KB, MORE_MB, MORE_RSS_MB, MORE_DESCRIPTORS = 600, 3.0, 12.0, 4


class Neighbourhood:
    """What comes from elsewhere in a year."""

    def __init__(self, island, rng):
        self._island, self._rng, self._number = island, rng, 0
        self._founder = island.key
        self._authors = [SigningKey(bytes([7, number]) * 16) for number in range(AUTHORS)]
        self._key = island.charter.subkey("tag")

    def vouches(self):
        """Of all of them, for the next months."""
        return [self._signed(self._founder, Kind.VOUCH, 366 * 24, detail=Vouch(one.public, Right.WRITE), packed=b"Voisine")
                for one in self._authors]

    def _signed(self, key, kind, life_h, **fields):
        minute = self._island.board.now()
        return encode(sign(Record(kind, key.key_id, minute - 3, life_h, **fields), self._island.charter.set_id, key.sign))

    def record(self):
        """A post; now and then an event, a correction, a stranger's, a forged one."""
        self._number += 1
        key, text = self._authors[self._number % AUTHORS], f"Annonce {self._number}: soupe, place des Fêtes".encode()
        kind = self._rng.choice(("bulletin",) * 6 + ("event", "stranger", "forged", "ending"))
        if kind == "event":
            start = self._island.board.now() + 60 * self._rng.randrange(24, 24 * 12)
            return self._signed(key, Kind.EVENT, 0, packed=text, detail=Event(start, 60, 4))
        if kind == "stranger":
            return self._signed(SigningKey(self._rng.randbytes(32)), Kind.BULLETIN, 24 * LIFE_DAYS, packed=text)
        if kind == "ending":
            ids = list(self._island.liveset.ids())
            return self._signed(key, Kind.RETRACTION, 24 * LIFE_DAYS, target=self._rng.choice(ids)[:8])
        raw = self._signed(key, Kind.BULLETIN, 24 * LIFE_DAYS, packed=text, topic=self._number % 14)
        return raw[:-1] + bytes([raw[-1] ^ 1]) if kind == "forged" else raw

    def day(self):
        """A day's worth, by air and in bulk."""
        island, raws = self._island, [self.record() for _ in range(COME)]
        for number, raw in enumerate(raws[::2]):
            content = packets.encode(Packet(0x100 + number, self._number % 256, (Whole(raw, True),)), self._key)
            island.runner.take(PacketReceived("radio", content, f"!{number}", number % 3))
        island.bulk.unload(raws[1::2], "lan")


def live_a_day(island, client, rng, day):
    """What people do here."""
    texts = [f"Avis {number} du jour {day}: soupe à 19 h" for number in range(POSTS)]
    posted = [island.board.post(Draft(Kind.BULLETIN, text=text, life_days=LIFE_DAYS)) for text in texts]
    if day % 3 == 0:
        island.board.correct(posted[0].id, posted[0].edit_code, Draft(Kind.BULLETIN, text=f"Avis corrigé du jour {day}"))
        island.board.withdraw(posted[1].id, posted[1].edit_code)
    if day % 5 == 0:
        island.board.report(posted[0].id, ReportReason.FALSE, "non", Visitor(bytes([day % 250]) * 8, bytes(8)))
    for number in range(PAGES):
        path = f"/r/{posted[2].id[:12]}" if number % 6 == 0 else rng.choice(PATHS)
        answer = client.get(path, headers={"Accept-Language": rng.choice(("fr", "en", "es", "ar"))})
        assert answer.status_code in (200, 503), (path, answer.status_code)
        answer.get_data()
    return posted[2].id


def seen(island, folder):
    """What it takes now."""
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {"records": len(island.liveset), "archived": island.maintenance.archive_status.records, "files": len(files),
            "kb": size_of(folder) // 1000, "python_mb": round(tracemalloc.get_traced_memory()[0] / 1e6, 2),
            "rss_mb": round(rss, 1), "descriptors": descriptors, "threads": threading.active_count()}


def measure(folder, days, seed):
    """The months."""
    app_module.system_is_synchronised, app_module.has_battery_clock = (lambda: False), (lambda now: False)
    KeyFolder(folder).found("Belleville", "Belleville")
    base = Settings(NodeSettings("Belleville", folder), PortalSettings(), RadioSettings(connect="none"))
    settings = replace(base, lan=replace(base.lan, discover=False), archive=ArchiveSettings(KEEP_DAYS))
    rng, months, lost = random.Random(seed), [], 0
    tracemalloc.start()
    with started(settings) as (island, clock):
        client, others = island._served.test_client(), Neighbourhood(island, rng)
        island.bulk.unload(others.vouches(), "bundle")
        for day in range(days):
            others.day()
            last = live_a_day(island, client, rng, day)
            lost += island.board.item(last) is None
            let_pass(island, clock, DAY_S)
            if (day + 1) % MONTH_DAYS == 0:
                months.append(seen(island, folder))
                print(f"month {len(months)}: {json.dumps(months[-1])}", flush=True)
        counted = {name: times for name, times in sorted(island.replica.counters.items()) if times}
    tracemalloc.stop()
    return months, lost, counted


def faults_of(months, lost):
    """What grows that should not, from when the archive forgets (two months after the first posts ended)."""
    flat = months[(KEEP_DAYS + LIFE_DAYS) // MONTH_DAYS + 2:]
    grown = {name: flat[-1][name] - min(one[name] for one in flat[:2]) for name in flat[0]}
    wrong = ["a post was lost"] if lost else []
    for name, most in (("kb", MORE_KB), ("python_mb", MORE_MB), ("rss_mb", MORE_RSS_MB), ("descriptors", MORE_DESCRIPTORS),
                       ("threads", 2), ("files", 3)):
        wrong += [f"{name} grew by {grown[name]}"] if grown[name] > most else []
    return wrong, grown


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        months, lost, counted = measure(Path(folder), options.days, options.seed)
    wrong, grown = faults_of(months, lost)
    print(json.dumps({"load": "year", "days": options.days, "last": months[-1], "grown": grown, "counted": counted,
                      "cpu_s": round(time.process_time() - begun), "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
