"""Two hundred slow clients, by processor and memory: python -m tests.load.slow_clients [--slow 200] [--seconds 20]

At a real box (tests.load.box), from twenty addresses: a third sends one octet a second of its header, a third of a form, a
third reads its page one octet a second. Meanwhile one phone asks for pages. What that costs is compared with the same
before the slow ones came; after they have gone descriptors, threads and memory are to be what they were.
"""

import argparse
import contextlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from tests.load.box import box, faults, share, tell
from tests.waiting import until

ADDRESSES = 20
UNFINISHED = (b"GET / HTTP/1.1\r\nHost: archipel.lan\r\nX-Slow: ",
              b"POST /post HTTP/1.1\r\nHost: archipel.lan\r\nContent-Length: 1000\r\n\r\n",
              b"GET / HTTP/1.1\r\nHost: archipel.lan\r\n\r\n")
SMALL = 4_096  # of a reader's buffer: most of its page waits on the way
TWICE, MORE_MB, MORE_DESCRIPTORS = 2.0, 10, 5


def slow_lines(port, count):
    """So many connections, each of which has begun."""
    lines = []
    for number in range(count):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        line.bind((f"127.0.4.{1 + number % ADDRESSES}", 0))
        line.connect(("127.0.0.1", port))
        line.sendall(UNFINISHED[number % len(UNFINISHED)])
        line.setblocking(False)
        lines.append(line)
    return lines


def trickle(lines):
    """One octet more, or less."""
    for number, line in enumerate(lines):
        with contextlib.suppress(OSError):  # it was cut off
            if number % len(UNFINISHED) == 2:
                line.recv(1)
            else:
                line.send(b"a")


def pages(made, seconds, lines=()):
    """Times of one phone's pages, the processor each took, how many slow ones are still there."""
    times, begun_s, until_s = [], made.usage(), time.monotonic() + seconds
    trickle_at = 0.0
    while time.monotonic() < until_s:
        if time.monotonic() >= trickle_at:
            trickle(lines)
            trickle_at = time.monotonic() + 1
        begun = time.monotonic()
        status = made.request("GET", "/bulletins", client="127.0.1.1")[0]
        assert status == 200, status
        times.append(time.monotonic() - begun)
        time.sleep(0.06)  # what nginx gives one visitor
    return times, 1000 * (made.usage() - begun_s) / len(times)


def measure(made, options):
    """What was measured, and what is wrong."""
    pages(made, 3)
    calm, calm_cpu_ms = pages(made, options.seconds)
    before = made.island.descriptors, made.island.threads, made.island.rss_mb + made.nginx.rss_mb
    lines = slow_lines(made.port, options.slow)
    busy, busy_cpu_ms = pages(made, options.seconds, lines)
    during = made.island.descriptors, made.island.threads, made.island.rss_mb + made.nginx.rss_mb
    for line in lines:
        line.close()
    with contextlib.suppress(AssertionError):
        until(lambda: made.island.descriptors <= before[0] + MORE_DESCRIPTORS, 60)
    after = made.island.descriptors, made.island.threads, made.island.rss_mb + made.nginx.rss_mb
    figures = {
        "slow": options.slow, "pages": [len(calm), len(busy)],
        "median_ms": [round(1000 * share(times, 0.5), 1) for times in (calm, busy)],
        "p95_ms": [round(1000 * share(times, 0.95), 1) for times in (calm, busy)],
        "cpu_a_page_ms": [round(calm_cpu_ms, 2), round(busy_cpu_ms, 2)],
        "descriptors": [one[0] for one in (before, during, after)], "threads": [one[1] for one in (before, during, after)],
        "mb": [round(one[2], 1) for one in (before, during, after)]}
    wrong = []
    wrong += ["pages take more than twice the processor"] if busy_cpu_ms > TWICE * calm_cpu_ms else []
    crowded = os.getloadavg()[0] > os.cpu_count()  # then times tell of the others
    slower = share(busy, 0.5) > TWICE * share(calm, 0.5)
    wrong += ["pages take more than twice as long"] if slower and not crowded else []
    wrong += ["memory grew"] if after[2] > before[2] + MORE_MB or during[2] > before[2] + 3 * MORE_MB else []
    wrong += ["descriptors are left"] if after[0] > before[0] + MORE_DESCRIPTORS else []
    wrong += ["the island failed at something"] if faults(made.folder) else []
    return figures, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, box(Path(folder)) as made:
        figures, wrong = measure(made, options)
    return tell("slow_clients", figures, wrong)


if __name__ == "__main__":
    sys.exit(main())
