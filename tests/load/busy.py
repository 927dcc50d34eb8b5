"""Fifty phones browse and post while two thousand records arrive by every way: python -m tests.load.busy

usage: busy.py [--phones 50] [--records 2000] [--rounds 3] [--seconds 10]

A real box (tests.load.box): nginx as on the SD image, `archipel run`, a radio, mosquitto. Rounds in turn: *calm*, phones
alone; *inflow*, records alone, a quarter each by air, broker, network and bundles; *busy*, both. Processor time a page is
the island's and nginx's together, less what the records take by themselves (inflow). No acknowledged post and no record may
be lost; a page may take twice the processor that it takes calm, and (judged where nothing else runs on the machine) twice
as long.
"""

import argparse
import base64
import itertools
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import paho.mqtt.client as mqtt

from node.daemon.mqtt import root_of
from node.model.record import record_id
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.lora import packets
from node.sync.lora.packets import Packet, Whole
from node.sync.mqtt.sealing import Seal
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.bundle import write
from node.transfer.lan import LanService
from tests.load.box import box, faults, share, tell
from tests.waiting import until

PATHS = ("/", "/agenda", "/bulletins", "/topics/food", "/search?q=soupe", "/map", "/feed.atom")
NOT_YET = ("/feed.atom", 503)  # a feed is whole or there is none; programs ask again
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
THINK_S = (0.3, 1.0)  # between two pages of a phone: ten times as hasty as people are
LAN, COURIER = "127.0.2.1", "127.0.3.1"
TWICE = 2.0
SHOWN, WAITS = "est sur le tableau", "est gardée sur cette île"


class Phones:
    """So many, each at an address of its own."""

    def __init__(self, made, count):
        self._box, self._count = made, count
        self.times, self.statuses, self.posted = [], Counter(), []
        self._lock = threading.Lock()

    def run(self, seconds, post):
        """All of them for so long; with `post`, each posts once."""
        until_s = time.monotonic() + seconds
        threads = [threading.Thread(target=self._phone, args=(number, until_s, post)) for number in range(self._count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _phone(self, number, until_s, post):
        rng, client = random.Random(number + 1_000 * len(self.posted)), f"127.0.1.{number + 1}"
        if post:
            self._post(number, client, f"Soupe {number} à {time.monotonic():.3f}, place des Fêtes")
        while time.monotonic() < until_s:
            self._page(rng.choice(PATHS), client)
            time.sleep(rng.uniform(*THINK_S))

    def _page(self, path, client, method="GET", body=None, headers=None):
        begun = time.monotonic()
        status, fields, content = self._box.request(method, path, body, headers, client)
        with self._lock:
            self.times.append(time.monotonic() - begun)
            self.statuses[path.partition("?")[0], status] += 1
        return status, fields, content.decode("utf-8", "replace")

    def _post(self, number, client, text):
        page = self._page("/post?kind=bulletin", client)[2]
        token = re.search(r'name="token" value="([^"]+)"', page)[1]
        typed = {"kind": "bulletin", "text": text, "language": 1, "topic": 1, "life_days": 7, "token": token}
        for action in ("preview", "publish"):
            status, _, said = self._page("/post", client, "POST", urlencode(typed | {"action": action}).encode(), FORM)
        if status == 200:
            with self._lock:
                self.posted.append((text, said))


class Inflow:
    """Two thousand records by every way, evenly over some seconds."""

    def __init__(self, made):
        self._box, self._number = made, itertools.count(1)
        self.sent, self.lan_new = [], 0
        liveset, store = LiveSet(made.charter), MemoryStore()
        replica = Replica(liveset, store, [])
        self._bulk = LocalBulkPort(liveset, store, IslandLabel(bytes(8), "voisine"), time.time,
                                   lambda raws, via: replica.take_in(raws, via, time.time())[0])
        self._lan = LanService(self._bulk, made.charter.subkey("lan"), random.randbytes)
        self._seal, self._root = Seal(made.charter), root_of(made.charter)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", made.broker.port)
        self._client.loop_start()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def run(self, raws, seconds):
        """All of them; each way has its thread."""
        ways = (self._by_air, self._by_broker, self._by_network, self._by_bundle)
        threads = [threading.Thread(target=way, args=(raws[number::4], seconds)) for number, way in enumerate(ways)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.sent += raws

    def _paced(self, things, seconds):
        begun = time.monotonic()
        for number, thing in enumerate(things):
            time.sleep(max(begun + number * seconds / len(things) - time.monotonic(), 0))
            yield thing

    def _by_air(self, raws, seconds):
        for raw in self._paced(raws, seconds):
            number = next(self._number)
            packet = Packet(0x7777, number % 256, (Whole(raw, True),))
            self._box.radio.deliver(packets.encode(packet, self._box.charter.subkey("tag")), number)

    def _by_broker(self, raws, seconds):
        for raw in self._paced(raws, seconds):
            slot = self._seal.slot(record_id(raw))
            self._client.publish(f"{self._root}/{slot.hex()[0]}/{slot.hex()}", self._seal.close(slot, raw), 1, retain=True)

    def _by_network(self, raws, seconds):
        size = max(len(raws) // 10, 1)
        for at in self._paced(range(0, len(raws), size), seconds):
            self._bulk.unload(self._box.vouches_made + raws[at:at + size], "test")
            self._lan.visit(lambda message: self._box.request("POST", "/lan", message, client=LAN)[2])

    def _by_bundle(self, raws, seconds):
        size = max(len(raws) // 5, 1)
        for at in self._paced(range(0, len(raws), size), seconds):
            body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bundle"\r\n\r\n'
            body += b"".join(write(self._bulk.label(), raws[at:at + size])) + b"\r\n--b--\r\n"
            kind = {"Content-Type": "multipart/form-data; boundary=b"}
            assert self._box.request("POST", "/courier", body, kind, COURIER)[0] == 200


def measure(made, options):
    """What is wrong, and what was measured."""
    crowded = os.getloadavg()[0] > os.cpu_count()  # then times tell of the others
    made.vouches_made = made.vouches()
    inflow = Inflow(made)
    inflow.run(made.vouches_made, 1)
    until(lambda: made.records >= len(made.vouches_made), 60)
    phones = {name: Phones(made, options.phones) for name in ("calm", "busy")}
    phones["calm"].run(options.seconds / 2, post=False)  # everything was asked for once
    phones["calm"] = Phones(made, options.phones)
    cpu_s, each = Counter(), options.records // options.rounds // 4 * 4
    settled(made, inflow)
    before = made.island.descriptors, made.island.threads
    for turn in range(options.rounds):
        for name in ("calm", "inflow", "busy"):
            begun = made.usage()
            flow = threading.Thread(target=inflow.run, args=(made.make(each), options.seconds)) if name != "calm" else None
            if flow:
                flow.start()
            if name != "inflow":
                phones[name].run(options.seconds, post=turn == 0)
            if flow:
                flow.join()
                settled(made, inflow)
            cpu_s[name] += made.usage() - begun
    inflow.close()
    return told(made, phones, cpu_s, inflow, before, crowded)


def settled(made, inflow):
    """Everything that came is in the set, or so long was waited for it."""
    with suppress(AssertionError):
        until(lambda: made.records >= len(inflow.sent), 60)


def told(made, phones, cpu_s, inflow, before, crowded):
    calm, busy = phones["calm"], phones["busy"]
    page_ms = {name: 1000 * cpu / len(phones[name].times) for name, cpu in (
        ("calm", cpu_s["calm"]), ("busy", cpu_s["busy"] - cpu_s["inflow"]))}
    ids = {base64.b64decode(one) for one in made.ask("bulk-ids", topic=None, since=0)}
    lost = sum(record_id(raw) not in ids for raw in inflow.sent)
    posts = calm.posted + busy.posted
    unanswered = sum(SHOWN not in said and WAITS not in said for _, said in posts)
    shown = [text for text, said in posts if SHOWN in said]
    missing = [text for text in shown if text not in found(made, text)]
    figures = {
        "crowded": crowded, "pages": {name: len(one.times) for name, one in phones.items()},
        "median_ms": {name: round(1000 * share(one.times, 0.5), 1) for name, one in phones.items()},
        "p95_ms": {name: round(1000 * share(one.times, 0.95), 1) for name, one in phones.items()},
        "cpu_a_page_ms": {name: round(ms, 2) for name, ms in page_ms.items()},
        "cpu_a_record_ms": round(1000 * cpu_s["inflow"] / (len(inflow.sent) / 2), 2),
        "records": len(inflow.sent), "lost": lost, "posts": len(posts), "shown": len(shown), "posts_missing": len(missing),
        "refused": {f"{path} {status}": count for (path, status), count in (calm.statuses + busy.statuses).items()
                    if status != 200},
        "rss_mb": round(made.island.rss_mb, 1), "nginx_mb": round(made.nginx.rss_mb, 1),
        "descriptors": [before[0], made.island.descriptors], "threads": [before[1], made.island.threads]}
    wrong = []
    wrong += ["records were lost"] if lost else []
    wrong += ["acknowledged posts are not there"] if missing or not shown or unanswered else []
    refused = {one for one in calm.statuses | busy.statuses if one[1] != 200 and one != NOT_YET}
    wrong += ["a page was refused"] if refused else []
    wrong += ["pages take more than twice the processor"] if page_ms["busy"] > TWICE * page_ms["calm"] else []
    slower = share(busy.times, 0.5) > TWICE * share(calm.times, 0.5)
    wrong += ["pages take more than twice as long"] if slower and not crowded else []
    wrong += ["the island failed at something"] if faults(made.folder) else []
    return figures, wrong


def found(made, text):
    """What the island's own search has of a post."""
    items = made.ask("search", words=text.split(",")[0], after="", limit=20)["items"]
    return [item["text"] for item in items]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=50)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, box(Path(folder)) as made:
        figures, wrong = measure(made, options)
    return tell("busy", figures, wrong)


if __name__ == "__main__":
    sys.exit(main())
