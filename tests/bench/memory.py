"""What requests cost in memory: the resident size of a running island before, at the top of and after each attack.

usage: memory.py [--rounds N] [--limit MB] [--only NAME] [--port PORT --pid PID]

Starts `archipel run` in a folder of its own (or attacks the one that listens on PORT), and sends each kind of request
16 at a time, as often as --rounds says: uploads of every encoding to every route, many small fields, huge names, many
files, bodies of no known type, sign-ins, pictures that hold no code, and 50 phones that preview and post. The line for
each says MB resident before, at most meanwhile (by the sampled size of the worker and of what it started) and two seconds
after. --limit puts the island into a memory group of so many MB, where the machine has them (cgroup 1 or 2, as root). The
last line is JSON: `grown` is what is left of all.
"""

import argparse
import gzip
import http.client
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlencode

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from node.daemon.keyfiles import KeyFolder  # noqa: E402
from tests.ports import free_ports  # noqa: E402 - runs from a checkout too

AT_ONCE = 16
MB = 1_000_000
SETTINGS = """[node]
name = "Banc"
data = "{folder}/data"
language = "fr"
[portal]
listen = "127.0.0.1:{port}"
[lan]
discover = false
"""
FORM = "application/x-www-form-urlencoded"
ROUTES = ("/courier", "/post", "/lan", "/keeper/login", "/keeper/picture", "/keeper/agenda", "/r/0123456789ab/edit", "/")


def multipart(parts):
    """A multipart body of (name, file name or None, content), and its type."""
    body = io.BytesIO()
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename else ""
        body.write(f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n")
    body.write(b"--b--\r\n")
    return body.getvalue(), "multipart/form-data; boundary=b"


def picture(side):
    """A PNG of noise that no filter makes small, some 12 MB: it holds no code."""
    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))

    def chunk(name, content):
        return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def bodies():
    """Name, content and type of everything that is sent to every route."""
    big, form = b"A" * (16 * MB), 250 * 1024
    yield "urlencoded 16 MB", b"letters=" + big, FORM
    yield "urlencoded 250 kB", b"text=" + b"%22" * (form // 3), FORM
    yield "many small fields", b"a=&" * (form // 3), FORM
    yield "huge field name", b"n" * form + b"=1", FORM
    yield "multipart field 16 MB", *multipart([("letters", None, big)])
    yield "multipart names", *multipart([("n" * 200_000, None, b"x")])
    yield "multipart many fields", *multipart([(f"f{number}", None, b"") for number in range(4_000)])
    yield "multipart many files", *multipart([("file", f"{number}.bin", b"x" * 400_000) for number in range(40)])
    yield "multipart 7 files of 2 MB", *multipart([("file", f"{number}.bin", b"x" * 2 * MB) for number in range(7)])
    yield "multipart many headers", b"--b\r\n" + b"ab:\r\n" * (form // 5) + b"\r\n", "multipart/form-data; boundary=b"
    yield "multipart no end", b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"\r\n--" * (form // 4), \
        "multipart/form-data; boundary=b"
    yield "a file of 16 MB", *multipart([("file", "a.bundle", big)])
    yield "json 16 MB", b'{"a": "' + big + b'"}', "application/json"
    yield "gzip 16 MB", gzip.compress(big * 4), FORM
    yield "unknown type 16 MB", big, "application/x-nobody-knows"
    yield "no type 1 MB", b"x" * MB, ""


def send(port, method, path, body=b"", kind="", chunked=False):
    """One request, whatever comes of it; its status, 0 for none."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": kind} if kind else {}
    try:
        if chunked:
            line.request(method, path, iter([body[at:at + 65_536] for at in range(0, len(body), 65_536)]), headers,
                         encode_chunked=True)
        else:
            line.request(method, path, body, headers)
        with line.getresponse() as answer:
            answer.read()
            return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def get(port, path):
    """What a page says."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        line.request("GET", path)
        return line.getresponse().read().decode("utf-8", "replace")
    finally:
        line.close()


def phone(port, number):
    """One phone: opens the form, previews, and posts three bulletins."""
    told = 0
    for turn in range(3):
        token = re.search(r'name="token" value="([^"]+)"', get(port, "/post?kind=bulletin"))
        for action in ("preview", "publish"):
            typed = {"kind": "bulletin", "text": f"Soupe {number} {turn}, place des Fêtes. " + "Venez nombreux. " * 12,
                     "language": 1, "topic": 4, "life_days": 7, "token": token[1] if token else "x", "action": action}
            told = send(port, "POST", "/post", urlencode(typed).encode(), FORM)
    return told


class Memory:
    """What a process and its children keep resident."""

    def __init__(self, pid):
        self.pid, self.top_mb, self._closing = pid, 0.0, threading.Event()

    def now_mb(self):
        return sum(map(rss_mb, [self.pid, *children_of(self.pid)]))

    @contextmanager
    def watched(self):
        """`top_mb` is the most that was seen."""
        self.top_mb, stop = self.now_mb(), threading.Event()

        def watch():
            while not stop.wait(0.01):
                self.top_mb = max(self.top_mb, self.now_mb())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


def rss_mb(pid):
    with suppress(OSError):
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB
    return 0.0


def children_of(pid):
    with suppress(OSError):
        return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    return []


def attacks(port, rounds):
    """Name and what to do, 16 at a time."""
    for name, body, kind in bodies():
        for chunked in (False, True):
            if chunked and len(body) < MB:
                continue
            calls = [(port, "POST", path, body, kind, chunked) for path in ROUTES for _ in range(2)] * rounds
            yield name + (" in chunks" if chunked else ""), calls
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        yield method, [(port, method, path, b"x" * 16 * MB, FORM) for path in ROUTES for _ in range(2)] * rounds
    yield "sign-ins", [(port, "POST", "/keeper/login", f"name=n{number}&password=p{number}".encode(), FORM)
                       for number in range(48 * rounds)]
    photo = multipart([("picture", "photo.png", picture(2_000))])
    yield "pictures of 12 MB", [(port, "POST", "/courier", *photo)] * (24 * rounds)


def measure(port, pid, rounds, only):
    """A line for each attack; what is left of all, in MB."""
    memory = Memory(pid)
    for path in ("/", "/agenda", "/post?kind=event", "/courier", "/search?q=soupe", "/agenda.ics"):
        get(port, path)
    begun = memory.now_mb()
    worst = 0.0
    print(f"{'':32} before    top  after  answers")

    def report(name, work, at_once):
        nonlocal worst
        before = memory.now_mb()
        with memory.watched(), ThreadPoolExecutor(at_once) as pool:
            answers = sorted(set(pool.map(lambda call: call(), work)))
        time.sleep(2)
        worst = max(worst, memory.top_mb)
        print(f"{name:32} {before:6.1f} {memory.top_mb:6.1f} {memory.now_mb():6.1f}  {answers}", flush=True)

    for name, calls in attacks(port, rounds):
        if only in name:
            report(name, [lambda call=call: send(*call) for call in calls], AT_ONCE)
    before_phones = memory.now_mb()
    if only in "50 phones":
        report("50 phones preview and post", [lambda number=number: phone(port, number) for number in range(50)], 50)
    left = memory.now_mb()
    return {"before_mb": round(begun, 1), "top_mb": round(worst, 1), "after_mb": round(left, 1),
            "grown_mb": round(left - begun, 1), "phones_mb": round(left - before_phones, 1),
            "alive": send(port, "GET", "/") == 200 and bool(rss_mb(pid))}


def grouped(limit_mb):
    """The memory group to put processes into, or None: its folder."""
    for root, name in ((pathlib.Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
                       (pathlib.Path("/sys/fs/cgroup"), "memory.max")):
        with suppress(OSError):
            group = root / f"archipel-bench-{os.getpid()}"
            group.mkdir()
            (group / name).write_text(str(limit_mb * 1024 * 1024))
            return group
    return None


@contextmanager
def island(limit_mb):
    """A running island: its port and its worker."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_ports()
        settings = pathlib.Path(folder) / "archipel.toml"
        settings.write_text(SETTINGS.format(folder=folder, port=port))
        KeyFolder(pathlib.Path(folder) / "data").found("Belleville", "Île")
        group = grouped(limit_mb) if limit_mb else None

        def join():
            if group:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        process = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(settings)], cwd=ROOT,
                                   stdout=subprocess.DEVNULL, preexec_fn=join)
        try:
            yield port, worker_of(process.pid, port)
        finally:
            process.terminate()
            process.wait(30)
            if group:
                group.rmdir()


def worker_of(pid, port):
    """The process that answers, once it does."""
    for _ in range(1_800):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            if children := children_of(pid):
                return children[0]
        time.sleep(0.1)
    raise TimeoutError("the island did not start")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--port", type=int)
    parser.add_argument("--pid", type=int)
    options = parser.parse_args()
    if options.port:
        print(json.dumps(measure(options.port, options.pid, options.rounds, options.only)))
        return
    with island(options.limit) as (port, worker):
        print(json.dumps(measure(port, worker, options.rounds, options.only)))


if __name__ == "__main__":
    main()
