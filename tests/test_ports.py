"""Ports that tests are given are nobody else's."""

import socket

import pytest

from tests.ports import BLOCK, EPHEMERAL, Block, _block, free_ports


def test_a_block_has_one_holder():
    with pytest.raises(OSError):
        Block(_block()._first)


def test_what_the_system_gives_away_by_itself_is_not_handed_out():
    low, high = map(int, EPHEMERAL.read_text().split())
    given = {free_ports() for _ in range(BLOCK)}
    assert len(given) > BLOCK // 2 and not any(low <= port <= high for port in given)


def test_a_port_that_is_in_use_is_passed_over_and_rows_are_whole():
    with socket.create_server(("127.0.0.1", free_ports())) as used:
        taken = used.getsockname()[1]
        rows = [range(first, first + 3) for first in (free_ports(3) for _ in range(BLOCK))]
    assert not any(taken in row for row in rows)
    assert len({row[0] for row in rows}) > 5, "they come round"
