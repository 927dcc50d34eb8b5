"""The board page at 10,000 live records while posts arrive, beside a trivial template.

usage: portal.py [--records N] [--seconds S] [--rounds N]
       portal.py --core 0.08 [--records 1000] [--archived 50000] [--never-read]

One gunicorn (1 worker, 16 threads) serves both: `/` and `/bulletins` of a portal on a real journal, and `/baseline`, a
compiled template of 50 rows. While 16 connections ask for them in turn, one bulletin a second is posted. The last line is
JSON; `rss_mb` is the whole server. With --core: pages of an island that has just started (tests/bench/cold.py).
"""

import argparse
import json
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time
from multiprocessing import Process, Queue

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402 - runs from a checkout too

from node.board.api import Draft  # noqa: E402
from node.board.drafts import FIELD_MARK  # noqa: E402
from node.cli.serve import PortalServer  # noqa: E402
from node.model.event import Event  # noqa: E402
from node.model.keys import SigningKey  # noqa: E402
from node.model.record import Kind, Record, Right, Vouch, encode, sign  # noqa: E402
from node.store.journalstore import JournalStore  # noqa: E402
from node.textpack import pack  # noqa: E402
from tests.bench import cold  # noqa: E402
from tests.ports import free_ports  # noqa: E402
from tests.sim.portals import CHARTER, FOUNDER, Neighbourhood, portal_settings  # noqa: E402
from web import create_app  # noqa: E402

CONNECTIONS, CLIENTS = 16, 2
BATCH = 500
RECORDS_EACH = 900  # an author's quota of live records is a little more
TEXTS = [f"Annonce {number} : distribution de légumes samedi à dix heures, apportez des sacs." for number in range(40)]
ROWS = "<!doctype html><title>x</title><ul>{% for row in rows %}<li>{{ row.name }} {{ row.text }}</li>{% endfor %}</ul>"


def records(count, minute):
    """`count` signed records by as many authors as it takes, and the vouches for them."""
    packed = [pack(text) for text in TEXTS]
    for number in range(count):
        key = SigningKey((1000 + number // RECORDS_EACH).to_bytes(32, "big"))
        if number % RECORDS_EACH == 0:
            detail = Vouch(key.public, Right.WRITE)
            vouch = Record(Kind.VOUCH, FOUNDER.key_id, minute, 9_000, detail=detail, packed=b"Une voisine")
            yield encode(sign(vouch, CHARTER.set_id, FOUNDER.sign))
        shared = {"author": key.key_id, "created": minute - number % 999, "language": 1, "topic": number % 14}
        if number % 3 == 0:
            text = FIELD_MARK.join((f"Réunion {number}", "Maison des associations")).encode()
            record = Record(Kind.EVENT, packed=text, detail=Event(minute + number * 8, 90, 4), **shared)
        else:
            codec, words = packed[number % len(packed)]
            record = Record(Kind.BULLETIN, life=24 * 14, codec=codec, packed=words, **shared)
        yield encode(sign(record, CHARTER.set_id, key.sign))


def baseline():
    """The least a template of 50 rows can do."""
    app = Flask("baseline")
    rows = [{"name": f"n{number}", "text": TEXTS[number % 40]} for number in range(50)]
    template = app.jinja_env.from_string(ROWS)
    app.add_url_rule("/baseline", endpoint="baseline", view_func=lambda: template.render(rows=rows))
    return app


def serve(port, folder, count, ready):
    """The server's process."""
    def build():
        place = Neighbourhood(folder, JournalStore(folder / "store"))
        batch = list(records(count, place.board.now()))
        for begin in range(0, len(batch), BATCH):
            place.replica.publish(batch[begin:begin + BATCH], place.clock.now())
        portal, plain = create_app(place.board, portal_settings()), baseline()
        threading.Thread(target=post_each_second, args=(place,), daemon=True).start()
        ready.put((os.getpid(), len(place.liveset)))
        return lambda environ, start: (plain if environ["PATH_INFO"] == "/baseline" else portal)(environ, start)

    sys.argv = ["archipel"]
    PortalServer(f"127.0.0.1:{port}", build, lambda: None).run()


def post_each_second(place):
    """One bulletin a second, as long as the server lives."""
    for number in range(3600):
        place.clock.advance(1)
        place.board.post(Draft(Kind.BULLETIN, f"Nouveau {number} : soupe ce soir"))
        time.sleep(1)


def ask(port, paths, until, times):
    """One connection, asking for `paths` in turn; the seconds each answer took are added to `times`."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        answers = line.makefile("rb")
        turn = 0
        while time.monotonic() < until:
            begun = time.monotonic()
            line.sendall(f"GET {paths[turn % len(paths)]} HTTP/1.1\r\nHost: archipel.lan\r\n\r\n".encode())
            assert b" 200 " in answers.readline()
            length = 0
            while (header := answers.readline()) != b"\r\n":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            answers.read(length)
            times.append(time.monotonic() - begun)
            turn += 1


def client(port, paths, seconds, results):
    """One process of connections."""
    times, until = [], time.monotonic() + seconds
    threads = [threading.Thread(target=ask, args=(port, paths, until, times)) for _ in range(CONNECTIONS // CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(times)


def measure(port, paths, seconds):
    """All times of one round."""
    results = Queue()
    clients = [Process(target=client, args=(port, paths, seconds, results)) for _ in range(CLIENTS)]
    for process in clients:
        process.start()
    times = [took for _ in clients for took in results.get()]
    for process in clients:
        process.join()
    return times


def p99_ms(times):
    return sorted(times)[len(times) * 99 // 100] * 1000


def rss_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=float)
    parser.add_argument("--archived", type=int, default=50_000)
    parser.add_argument("--never-read", action="store_true")
    options = parser.parse_args()
    if options.core:
        live = 1_000 if options.records == parser.get_default("records") else options.records
        print(json.dumps(cold.measure(options.core, live, options.archived, not options.never_read)))
        return
    with tempfile.TemporaryDirectory() as folder:
        ready, port = Queue(), free_ports()
        server = Process(target=serve, args=(port, pathlib.Path(folder), options.records, ready))
        server.start()
        worker, live = ready.get(timeout=600)
        print(f"{live} live records")
        board, plain = [], []
        for _ in range(options.rounds):
            board += measure(port, ["/", "/bulletins"], options.seconds)
            plain += measure(port, ["/baseline"], options.seconds)
        memory = rss_mb(worker)
        server.terminate()
        server.join()
    spent = options.seconds * options.rounds
    print(json.dumps({
        "board_rps": round(len(board) / spent), "baseline_rps": round(len(plain) / spent),
        "board_p99_ms": round(p99_ms(board), 1), "baseline_p99_ms": round(p99_ms(plain), 1), "rss_mb": memory,
    }))


if __name__ == "__main__":
    main()
