"""Pages of an island that has just started, on a part of a core: `portal.py --core` runs this.

`archipel run` in a folder with so many live and archived records, held to a part of a core (a processor group where the
machine has them, else by stopping and continuing it). What is printed: seconds from a request to its whole answer, for each
page the first time after a start and again; then the worst wait of others while one phone walks through past months; then,
with --never-read, all of it on a folder whose texts no island has decoded, as after an import.
"""

import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager, suppress
from datetime import date, timedelta

from node.board.drafts import FIELD_MARK
from node.daemon.keyfiles import KeyFolder, vouch
from node.model.clock import SystemClock, minute_of
from node.model.event import Event
from node.model.keys import SigningKey
from node.model.record import MAX_LIFE_H, Kind, Record, Right, Vouch, decode, encode, record_id, sign
from node.store.archive import Archive
from node.store.backup import ARCHIVE_FILE
from node.store.index import Row
from node.store.journalstore import JournalStore
from node.textpack import pack
from tests.bench.memory import MB, SETTINGS, get, rss_mb, worker_of
from tests.ports import free_ports

ROOT = pathlib.Path(__file__).parent.parent.parent
PERIOD_S = 0.1
DAY_MIN = 1440
AUTHORS = 12
WORDS = ("soupe", "partagée", "atelier", "vélo", "samedi", "canal", "réunion", "quartier", "maison", "association",
         "jardin", "apporter", "outils", "enfants", "musique", "soirée", "collecte", "vêtements", "local", "rendez-vous")
STEPS = 36  # months that one phone walks back


def texts(count=60):
    """Announcements of some 150 characters, packed; decoding one takes 15 to 20 ms of a desktop's core."""
    rng = random.Random(1)
    for number in range(count):
        title = f"{rng.choice(WORDS).capitalize()} {rng.choice(WORDS)} {number}"
        body = " ".join(rng.choice(WORDS) for _ in range(14)).capitalize() + "."
        yield title, body


def fill(data, live, past, read):
    """A data folder with so many live and archived records; their texts are there decoded if `read`."""
    keys, founder = KeyFolder(data), SigningKey(bytes([7]) * 32)
    charter = keys.found("Banc", "Banc", founder)
    now, begin = minute_of(SystemClock().now()), minute_of(SystemClock().now()) - 800 * DAY_MIN
    authors = [SigningKey(bytes([9, number]) * 16) for number in range(AUTHORS)]
    vouches = [vouch(charter, founder, Vouch(author.public, Right.WRITE), f"Île {number}", (begin, MAX_LIFE_H[Kind.VOUCH]))
               for number, author in enumerate(authors)]
    made = [(pack(body), pack(FIELD_MARK.join((title, "Maison", "AMAP", body))), body, title) for title, body in texts()]
    words = {}

    def record(number, created, start):
        author, (bulletin, event, body, title) = authors[number % AUTHORS], made[number % len(made)]
        shared = {"author": author.key_id, "created": created, "language": 1, "topic": number % 14}
        if number % 2:
            codec, packed = event
            plain = Record(Kind.EVENT, codec=codec, packed=packed, detail=Event(start, 90, 4), **shared)
        else:
            codec, packed = bulletin
            plain = Record(Kind.BULLETIN, life=24 * 60, codec=codec, packed=packed, **shared)
        raw = encode(sign(plain, charter.set_id, author.sign))
        words[record_id(raw)] = FIELD_MARK.join((title, "Maison", "AMAP", body)) if number % 2 else body
        return plain, raw

    with closing(JournalStore(data)) as store, closing(Archive(data / ARCHIVE_FILE)) as archive:
        lately = [record(number, now - number % 9000, now + number * 80) for number in range(live)]
        rows = [Row.of(plain, raw, now) for plain, raw in lately]
        store.commit([*rows, *(Row.of(decode(raw), raw, now) for raw in vouches)])
        for first in range(0, past, 5_000):
            some = [record(number, begin + number * 20, begin + number * 22)
                    for number in range(first, min(first + 5_000, past))]
            kept = [Row.of(plain, raw, now) for plain, raw in some]
            archive.keep(kept, {row.id: words[row.id] for row in kept} if read else {})
        for row in rows if read else ():
            archive.index(row.id, row.created, words[row.id])


@contextmanager
def slowed(pid, core):
    """Hold a process and its children to this part of one core."""
    for root, settings in ((pathlib.Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": "100000",
                                                                "cpu.cfs_quota_us": f"{core * 100_000:.0f}"}),
                           (pathlib.Path("/sys/fs/cgroup"), {"cpu.max": f"{core * 100_000:.0f} 100000"})):
        with suppress(OSError):
            group = root / f"archipel-bench-{os.getpid()}"
            group.mkdir()
            for name, value in settings.items():
                (group / name).write_text(value)
            (group / "cgroup.procs").write_text(str(pid))
            try:
                yield "a processor group"
            finally:
                for _ in range(100):
                    with suppress(OSError):
                        group.rmdir()
                        break
                    time.sleep(0.1)
            return
    stop = threading.Event()
    pacer = threading.Thread(target=pace, args=(pid, core, stop))
    pacer.start()
    try:
        yield "stopping and continuing"
    finally:
        stop.set()
        pacer.join()


def pace(pid, core, stop):
    """Let the process group run for its part of each period."""
    while not stop.is_set():
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGCONT)
            time.sleep(PERIOD_S * core)
            os.killpg(pid, signal.SIGSTOP)
        time.sleep(PERIOD_S * (1 - core))
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGCONT)


@contextmanager
def started(folder, core):
    """An island on a part of a core: its port, its worker, and the seconds until it answered."""
    port = free_ports()
    settings = folder / "archipel.toml"
    settings.write_text(SETTINGS.format(folder=folder, port=port))
    gate_r, gate_w = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", "import os, runpy, sys; os.read(int(sys.argv.pop(1)), 1);"
                                "runpy.run_module('node', run_name='__main__', alter_sys=True)", str(gate_r), "run",
                                "--config", str(settings)], cwd=ROOT, stdout=subprocess.DEVNULL, pass_fds=[gate_r],
                               start_new_session=True)
    try:
        with slowed(process.pid, core):
            begun = time.monotonic()
            os.write(gate_w, b"x")
            yield port, lambda: worker_of(process.pid, port), lambda: time.monotonic() - begun
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            process.terminate()
            process.wait(300)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        os.close(gate_r)
        os.close(gate_w)


def timed(port, path):
    begun = time.monotonic()
    page = get(port, path)
    return time.monotonic() - begun, page


def pages(port):
    """What is asked for, each never asked for before."""
    this = date.today().replace(day=1)
    following, before = (this + timedelta(32)).strftime("%Y-%m"), (this - timedelta(200)).strftime("%Y-%m")
    week = "{}-W{:02}".format(*(date.today() + timedelta(14)).isocalendar()[:2])
    return ["/", "/agenda", f"/agenda?month={following}", f"/agenda?month={before}", f"/agenda?week={week}", "/bulletins",
            "/topics/food", "/search?q=soupe", "/map", "/post?kind=event", "/courier", "/poster", "/wall", "/feed.atom",
            "/agenda.ics", "/radio", "/learn"]


def walk(port, waits):
    """One phone goes back month by month; its seconds are added to `waits`."""
    this = date.today().replace(day=1)
    for _ in range(STEPS):
        this = (this - timedelta(1)).replace(day=1)
        if (date.today() - this).days > 780:
            this = date.today().replace(day=1)
        topic = ("food", "health", "work", "other")[len(waits) % 4]
        waits.append(timed(port, f"/agenda?month={this:%Y-%m}&topic={topic}")[0])


def others(port, done, waits):
    """Another phone asks for other pages meanwhile, two seconds apart."""
    asked = 0
    while not done.is_set():
        path = ["/topics/food", "/topics/health", "/bulletins", "/"][asked % 4] + f"?lang={['fr', 'en', 'es'][asked % 3]}"
        waits.append((timed(port, path)[0], path))
        asked += 1
        done.wait(2)


def one_run(folder, core, page, results):
    """One start per page: the first page after a start."""
    with started(folder, core) as (port, worker, age):
        worker()
        up_s = age()
        took, _ = timed(port, page)
        results[page] = (up_s, took)


def measure(core, live, past, read):
    """Seconds of each, as a value for JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fill(folder / "data", live, past, read)
        print(f"{live} live and {past} archived records, {'decoded once' if read else 'never decoded'}, {core} of a core")
        first = {}
        for page in ("/", "/agenda", "/agenda?month=" + (date.today() - timedelta(200)).strftime("%Y-%m"), "/agenda.ics"):
            one_run(folder, core, page, first)
            print(f"{page:32} {first[page][1]:6.2f} s, first of all after a start of {first[page][0]:.1f} s", flush=True)
        with started(folder, core) as (port, worker, _):
            pid = worker()
            print(f"{'':32}  first  again")
            cold, warm = {}, {}
            for page in pages(port):
                cold[page], text = timed(port, page)
                warm[page], _ = timed(port, page)
                print(f"{page:32} {cold[page]:6.2f} {warm[page]:6.2f}  {len(text):7} B", flush=True)
            walked, waited, done = [], [], threading.Event()
            other = threading.Thread(target=others, args=(port, done, waited))
            other.start()
            walk(port, walked)
            done.set()
            other.join()
            print(f"past months: worst {max(walked):.2f} s; meanwhile others waited {max(waited)[0]:.2f} s at worst "
                  f"({max(waited)[1]}, {len(waited)} asked); {rss_mb(pid) * MB / 1e6:.0f} MB", flush=True)
        return {"first_of_all_s": round(max(took for _, took in first.values()), 2),
                "cold_s": round(max(cold.values()), 2), "warm_s": round(max(warm.values()), 2),
                "past_month_s": round(max(walked), 2), "other_meanwhile_s": round(max(waited)[0], 2)}
