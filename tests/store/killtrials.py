"""Kill a real process while it posts, expires and compacts, and look at what it left."""

import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from node.store.archive import Archive
from node.store.journalstore import JournalStore
from tests.store.storerows import made_up

ROOT = Path(__file__).parents[2]
MAX_LINES = 120  # of what the writer says before it is killed


def kill_again_and_again(folder, rounds, seed):
    """Whatever the writer said was kept is there, live or archived, unchanged; how many records that were."""
    chance = random.Random(seed)
    told, dropped, number, told_number = {}, set(), 0, 0
    for _ in range(rounds):
        lines = _killed(folder, number, chance)
        for line in lines:
            if line.startswith("+"):
                told[bytes.fromhex(line[1:])] = None
            elif line.startswith("-"):
                dropped.add(bytes.fromhex(line[1:]))
            elif line.startswith("="):
                told_number = int(line[1:])
        made = {row.id: row for row in map(made_up, range(number, number + len(lines) + 10))}
        told |= {id_: made[id_] for id_ in told if id_ in made}
        number += len(lines) + 10
        _look(folder, told, dropped, told_number)
    return len(told)


def _killed(folder, number, chance):
    """Run the writer and kill it, after some lines and a while, now and then while it opens the store; its whole lines."""
    command = [sys.executable, "-m", "tests.store.killedwriter", folder, str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        output = b""
        if chance.random() < 0.9:
            assert writer.stdout.readline() == b"ready\n"
            output = b"".join(writer.stdout.readline() for _ in range(chance.randrange(MAX_LINES)))
        time.sleep(chance.uniform(0, 0.05))  # what it does at that moment is chance; that it did something is not
        writer.send_signal(signal.SIGKILL)
        output += writer.stdout.read()
    return output.decode().split("\n")[:-1]


def _look(folder, told, dropped, told_number):
    with closing(JournalStore(folder)) as store, closing(Archive(folder / "archive.db")) as archive:
        assert store.health() == archive.health() == (True, "")
        live, past = {row.id: row for row in store.rows()}, {row.id: row for row in archive.rows()}
        for id_, row in told.items():
            found = live.get(id_) or past.get(id_)
            assert found == row or (id_ in dropped and found is None), "told, and lost or changed"
        assert store.damaged <= 1 and archive.damaged == 0
        assert (store.note("number") or 0) >= told_number
        for id_ in list(past)[:3]:
            assert id_ in archive.search(f"mot{past[id_].created}")[0]
