"""A case of the boot test: a box of a Pi Zero 2 W's memory under load."""

import base64
import http.client
import io
import itertools
import json
import tarfile
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial

from archipel_image.testbench import PAGE_PATIENCE_S, Bench, board, check, post, wait_for
from archipel_image.vm import Machine
from node.daemon.keyfiles import KeyFolder
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right, Vouch, encode, sign
from node.textpack import pack
from node.transfer.bundle import Header, write

RECORDS, BATCH, AUTHORS = 2_000, 200, 4  # a quota holds 1,024 posts of one
PHONES, POSTS = 20, 5  # an emulated box makes some pages a second
PATHS = ("/", "/agenda", "/bulletins", "/topics/food", "/search?q=soupe", "/map", "/feed.atom")
MIN_LEFT_KB = 100_000  # of memory, at the worst moment: maintenance and a keeper's bundle need some 60 MB


class Phones:
    """So many browse until they are told to stop."""

    def __init__(self, machine: Machine):
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []
        self._machine, self._stop = machine, threading.Event()
        self._threads = [threading.Thread(target=self._browse, args=(number,)) for number in range(PHONES)]

    def __enter__(self) -> "Phones":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _browse(self, number: int) -> None:
        for path in itertools.islice(itertools.cycle(PATHS), number, None):
            if self._stop.is_set():
                return
            began = time.monotonic()
            with suppress(OSError, http.client.HTTPException):
                line = http.client.HTTPConnection("127.0.0.1", self._machine.port, timeout=PAGE_PATIENCE_S)
                line.request("GET", path, headers={"Host": "archipel.lan", "Accept-Language": "fr"})
                answer = line.getresponse()
                answer.read()
                line.close()
                self.statuses[answer.status] += 1
                self.times.append(time.monotonic() - began)
            self._stop.wait(1)


def laden(bench: Bench) -> None:
    """Twenty phones browse and post while two thousand records are brought to a box of 512 MB: all is kept, none of its
    programs ends, memory is left."""
    machine = bench.alone()
    starts = bench.shell(machine, "systemctl show -P NRestarts archipel-island; systemctl show -P MainPID archipel-island")
    carried, held, least_kb = bundles(bench, machine), count(bench, machine), memory_kb(bench, machine)
    bench.figures["laden_before_mb"] = least_kb // 1024
    posts = [f"soupe {number}, pendant la charge" for number in range(POSTS)]
    began = time.monotonic()
    with Phones(machine) as phones:
        for number, bundle in enumerate(carried):
            wait_for(partial(bring, machine, bundle), "a bundle is not taken")
            if number < POSTS:
                post(machine, posts[number])
            least_kb = min(least_kb, memory_kb(bench, machine))
        wait_for(lambda: count(bench, machine) >= held + RECORDS + AUTHORS + POSTS, "not every record is there")
    shown = board(machine)
    check(all(text in shown for text in posts), "an acknowledged post is gone")
    ends = bench.shell(machine, "systemctl show -P NRestarts archipel-island; systemctl show -P MainPID archipel-island")
    check(starts == ends, "the island's program ended and was started again")
    killed = bench.shell(machine, "dmesg | grep -i 'out of memory' || true")
    check(not killed, f"memory was short: {killed}")
    check(least_kb > MIN_LEFT_KB, f"only {least_kb // 1024} MB of memory are left")
    check(phones.statuses[200] > PHONES, f"phones were answered {dict(phones.statuses)}")
    check(set(phones.statuses) <= {200, 429, 503}, f"phones were answered {dict(phones.statuses)}")
    bench.figures |= {"laden_s": round(time.monotonic() - began), "laden_least_mb": least_kb // 1024,
                      "laden_pages": phones.statuses[200], "laden_refused": phones.statuses.total() - phones.statuses[200],
                      "laden_page_ms": round(1000 * sorted(phones.times)[len(phones.times) // 2])}


def bundles(bench: Bench, machine: Machine) -> list[bytes]:
    """Vouches for some authors, then bulletins of theirs, of the box's own set, as couriers carry them."""
    packed = bench.shell(machine, "tar -C /data/archipel -cz keys | base64")
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as tar:
        tar.extractall(bench.folder / "laden", filter="data")
    keys, minute = KeyFolder(bench.folder / "laden"), minute_of(time.time())
    charter, founder = keys.charter(), keys.island_key()
    authors = [SigningKey(bytes([40 + number]) * 32) for number in range(AUTHORS)]
    made = [encode(sign(Record(Kind.VOUCH, founder.key_id, minute, 9_000, packed=b"Une voisine",
                               detail=Vouch(one.public, Right.WRITE)), charter.set_id, founder.sign)) for one in authors]
    for number in range(RECORDS):
        author = authors[number % AUTHORS]
        codec, words = pack(f"Annonce {number} : distribution de légumes samedi à dix heures, apportez des sacs.")
        made.append(encode(sign(Record(Kind.BULLETIN, author.key_id, minute - number % 60, 24 * 14, language=1,
                                       topic=number % 14, codec=codec, packed=words), charter.set_id, author.sign)))
    label = Header(charter.set_id, founder.key_id, minute, "une île voisine")
    return [b"".join(write(label, made[at:at + BATCH])) for at in range(0, len(made), BATCH)]


def bring(machine: Machine, bundle: bytes) -> bool:
    """A courier's file, given on the page /courier; whether it was taken."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bundle"\r\n\r\n' + bundle + b"\r\n--b--\r\n"
    line = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=PAGE_PATIENCE_S)
    line.request("POST", "/courier", body, {"Host": "archipel.lan", "Content-Type": "multipart/form-data; boundary=b"})
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status == 200


def count(bench: Bench, machine: Machine) -> int:
    """How many records the island holds."""
    return json.loads(bench.archipel(machine, "status --json"))["records"]


def memory_kb(bench: Bench, machine: Machine) -> int:
    """What memory the box could still give."""
    return int(bench.shell(machine, "sed -n 's/MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo"))
