"""Ports of loopback that are this process's own until it ends.

A port that the system gave and that was freed again may be anybody's a moment later: another worker's, another run's, or
that of any program that connects somewhere. So each process of the suite holds a block of ports which the system gives to
nobody by itself, and hands out those. The first port of a block stays open until the process ends: the block is taken.
"""

import functools
import socket
from pathlib import Path

BLOCK = 50
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


class Block:
    """BLOCK ports from `first` on; OSError if another process holds them. `row(count)` hands some out."""

    def __init__(self, first: int):
        self._first, self._next = first, 1
        self._guard = socket.create_server(("127.0.0.1", first))

    def row(self, count: int) -> int:
        """The first of `count` ports in a row that nothing listens on; those handed out longest ago come again last."""
        for _ in range(BLOCK):
            if self._next + count > BLOCK:
                self._next = 1
            first = self._first + self._next
            self._next += count
            if all(map(_quiet, range(first, first + count))):
                return first
        raise AssertionError("no free ports")


def _quiet(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@functools.cache
def _block() -> Block:
    low, high = map(int, EPHEMERAL.read_text().split())
    for first in range(10_000, 65_000, BLOCK):
        if first + BLOCK <= low or first > high:
            try:
                return Block(first)
            except OSError:
                continue
    raise AssertionError("no free block of ports")


def free_ports(count: int = 1) -> int:
    """The first of `count` ports in a row that nothing listens on, and that no other process is given."""
    return _block().row(count)
