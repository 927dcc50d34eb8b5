"""What the live set costs beside stock TinyDB and SQLite (WAL, FULL): python -m tests.bench.store [--folder DIR]

Records of 0.3 to 1.7 kB over 90 days, inserted one by one, each durable on return (TinyDB: a bulk insert, then 20 more).
Each figure comes from a fresh process: CPU time and bytes to the card of an insert, a seven-day range, opening until the
records can be read (best of three), peak memory of the whole process. The folder should be on a real card, not in memory.
"""

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import closing
from pathlib import Path

from tinydb import TinyDB, where

from node.store.index import Row, Slice
from node.store.journalstore import JournalStore

DAY_MIN = 1440
SPAN_MIN = 90 * DAY_MIN
WEEK = (40 * DAY_MIN, 47 * DAY_MIN)
RANGES = 20
COLUMNS = ("id", "raw", "kind", "created", "expires", "start", "topic", "received")


def rows(count):
    """The same rows every time."""
    chance = random.Random(1)
    for number in range(count):
        created = number * SPAN_MIN // count
        yield Row(chance.randbytes(16), chance.randbytes(chance.randint(300, 1700)), number % 2, created,
                  created + 14 * DAY_MIN, created + 3 * DAY_MIN if number % 2 else None, number % 14, created)


class Ours:
    """The journal store."""

    def __init__(self, folder):
        self.store = JournalStore(folder)

    def fill(self, kept):
        for row in kept:
            self.store.commit(put=[row])
        return len(kept)

    def week(self):
        return len(self.store.page(Slice(since=WEEK[0], until=WEEK[1]), limit=100_000)[0])

    def close(self):
        self.store.close()


class Sqlite:
    """SQLite as it is set up to lose nothing."""

    def __init__(self, folder):
        self.db = sqlite3.connect(folder / "db", isolation_level=None)
        for setting in ("journal_mode = WAL", "synchronous = FULL"):
            self.db.execute(f"PRAGMA {setting}")
        self.db.execute("CREATE TABLE IF NOT EXISTS r "
                        "(id BLOB PRIMARY KEY, raw, kind, created, expires, start, topic, received)")
        self.db.execute("CREATE INDEX IF NOT EXISTS c ON r (created)")
        self.db.execute("CREATE INDEX IF NOT EXISTS s ON r (start)")
        self.db.execute("SELECT count(*) FROM r").fetchone()

    def fill(self, kept):
        for row in kept:
            self.db.execute("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [getattr(row, name) for name in COLUMNS])
        return len(kept)

    def week(self):
        week = "SELECT * FROM r WHERE created >= ? AND created < ? ORDER BY created, id"
        return len(self.db.execute(week, WEEK).fetchall())

    def close(self):
        self.db.close()


class Stock:
    """TinyDB with its own JSONStorage."""

    def __init__(self, folder):
        self.db = TinyDB(folder / "db.json")
        len(self.db)

    def fill(self, kept):
        for row in kept[-20:]:
            self.db.insert(document(row))
        return 20

    def bulk(self, kept):
        self.db.insert_multiple(document(row) for row in kept[:-20])

    def week(self):
        found = self.db.search((where("created") >= WEEK[0]) & (where("created") < WEEK[1]))
        self.db.clear_cache()
        return len(sorted(found, key=lambda row: (row["created"], row["id"])))

    def close(self):
        self.db.close()


def document(row):
    """A row as TinyDB can write it."""
    plain = {name: getattr(row, name) for name in COLUMNS}
    return plain | {"id": row.id.hex(), "raw": b64encode(row.raw).decode()}


CONTENDERS = {"ours": Ours, "sqlite": Sqlite, "tinydb": Stock}


def written():
    """Bytes this process had the kernel write to a card."""
    return int(Path("/proc/self/io").read_text().split("write_bytes: ")[1].split()[0])


def inserting(name, count, folder):
    """CPU and bytes of one insert."""
    kept = list(rows(count))
    with closing(CONTENDERS[name](folder)) as contender:
        if name == "tinydb":
            contender.bulk(kept)
        before, started = written(), time.process_time()
        inserted = contender.fill(kept)
        return {"insert_cpu_ms": (time.process_time() - started) / inserted * 1000,
                "bytes_per_insert": (written() - before) / inserted}


def reading(name, count, folder):
    """Opening, a range, memory."""
    loads = []
    for _ in range(3):
        started = time.perf_counter()
        contender = CONTENDERS[name](folder)
        loads.append(time.perf_counter() - started)
        contender.close()
    with closing(CONTENDERS[name](folder)) as contender:
        expected = sum(WEEK[0] <= number * SPAN_MIN // count < WEEK[1] for number in range(count))
        ranges = []
        for _ in range(RANGES):
            started = time.perf_counter()
            assert contender.week() == expected
            ranges.append(time.perf_counter() - started)
        return {"range_ms": sorted(ranges)[RANGES // 2] * 1000, "load_s": min(loads)}


def opening(name, count, folder):
    """Memory of a process that has opened it."""
    with closing(CONTENDERS[name](folder)):
        return {"rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def apart(part, name, count, folder):
    """Run one part in a process of its own."""
    options = ["--part", part, "--name", name, "--n", str(count), "--folder", folder]
    command = [sys.executable, "-m", "tests.bench.store", *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout)


def measure(count, folder):
    """All contenders at one size."""
    figures = {}
    for name in CONTENDERS:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            parts = [apart(part, name, count, place) for part in PARTS]
        figures[name] = {key: round(value, 3) for part in parts for key, value in part.items()}
    return {"n": count, **figures}


PARTS = {"inserting": inserting, "reading": reading, "opening": opening}


def main():
    """Measure at 2,000 and at 10,000 records; one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--name", choices=CONTENDERS)
    parser.add_argument("--n", type=int)
    wanted = parser.parse_args()
    if wanted.part:
        print(json.dumps(PARTS[wanted.part](wanted.name, wanted.n, wanted.folder)))
        return
    for count in (2_000, 10_000):
        print(json.dumps(measure(count, wanted.folder)), flush=True)


if __name__ == "__main__":
    main()
