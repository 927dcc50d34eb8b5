"""What fuzzers seldom make: each good input with one part of it very long, or said very often.

    python -m tests.fuzz.stretching TARGET [MOST_OCTETS]

Coverage tells nothing of how long an input takes. A parser that looks at what it has read again and again needs four times
as long for twice as much, and a number of 5,000 digits is none that Python reads. So seeds are stretched to MOST_OCTETS: a
number in them, a piece between two signs, a line, all of it. What raises, or takes above a second, is printed; the first
that raise are kept.
"""

import re
import sys
import time
from collections.abc import Iterator

from tests.fuzz import kinds

SLOW_S = 1.0
MOST_OCTETS = 60_000
DIGITS = 5_000  # above what `int` reads (sys.int_info.default_max_str_digits)
SEEDS, PLACES = 20, 4  # of a target, of one of them: spread over all there are
NUMBER, PIECE = re.compile(rb"\d+"), re.compile(rb"[^\s;:,&<>\"'()\[\]{}=/|-]{1,40}[\s;:,&<>\"'()\[\]{}=/|-]")
SIGNS = (b"&#1", b"<", b"[", b"{\"a\":", b"(", b"\\", b"&", b"=\n", b"\xc0", b"\0", b" ", b"\n", b"\xd9\xa3", b"0")


def stretched(octets: bytes, most: int) -> Iterator[bytes]:
    """Ways to make an input long."""
    for found in spread(list(NUMBER.finditer(octets))):
        yield octets[:found.start()] + b"1" * min(DIGITS, most) + octets[found.end():]
    for found in spread(list(PIECE.finditer(octets))):
        yield octets[:found.start()] + found[0] * (most // len(found[0])) + octets[found.end():]
        for sign in SIGNS[:2]:
            yield octets[:found.end()] + sign + b"1" * DIGITS + octets[found.end():]
    lines = octets.split(b"\n")
    for at in spread(range(len(lines))) if len(lines) > 1 else ():
        yield b"\n".join([*lines[:at], *[lines[at]] * (most // (len(lines[at]) + 1)), *lines[at + 1:]])
    middle = len(octets) // 2
    for sign in SIGNS:
        yield octets[:middle] + sign * (most // len(sign)) + octets[middle:]
    if octets:
        yield octets * (most // len(octets))


def spread(all_of_them):
    """PLACES of them at most."""
    return all_of_them[::max(len(all_of_them) // PLACES, 1)][:PLACES]


def main(name: str, most: int = MOST_OCTETS) -> int:
    """Exit status 1 when something raises or takes long."""
    target = kinds.target(name)
    seeds = [octets for octets in sorted({*kinds.inputs(name), *target.seeds()}) if len(octets) <= target.most]
    tried, bad, slowest = 0, 0, (0.0, b"")
    for seed in seeds[::max(len(seeds) // SEEDS, 1)]:
        for octets in stretched(seed, most):
            tried += 1
            began = time.process_time()
            try:
                target.run(octets)
            except Exception as error:
                bad += 1
                print(f"{name:14} BROKEN by {octets[:70]!r}... ({len(octets)} B): {error!r}"[:400])
                if bad <= 5:
                    (kinds.FOUND / name).mkdir(parents=True, exist_ok=True)
                    (kinds.FOUND / name / f"stretched-{bad}").write_bytes(octets)
            slowest = max(slowest, (time.process_time() - began, octets))
    took_s, octets = slowest
    print(f"{name:14} {tried} tried, {bad} broken; the slowest took {took_s:.2f} s: {octets[:60]!r}... ({len(octets)} B)",
          flush=True)
    return int(bad > 0 or took_s > SLOW_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
