"""What the island asks of its box: one order of a kind, whole, of a closed list, and gone when nobody takes it."""

import json
import os

import pytest

from node.daemon.orders import (
    MAX_ORDER_BYTES,
    NOT_TAKEN,
    ORDERS_VARIABLE,
    PATIENCE_S,
    TOLD_S,
    WORDS,
    Orders,
    order_in,
    words_here,
)
from node.daemon.settings_reader import Notice
from node.model.clock import ManualClock
from node.model.errors import LocalMisuse
from tests.sim.durability import Syncs

ALL = frozenset(WORDS)


@pytest.fixture
def clock():
    return ManualClock(0.0)


@pytest.fixture
def orders(tmp_path, clock):
    return Orders(tmp_path, ALL, clock.monotonic)


def left(tmp_path):
    """What is in the folder of orders."""
    folder = tmp_path / "orders"
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()} if folder.exists() else {}


def test_an_order_is_one_file_of_this_user_s_alone_and_the_same_word_takes_its_place(orders, tmp_path):
    orders.place("restart", what="island")
    orders.place("restart", what="box")
    orders.place("wipe")
    assert left(tmp_path) == {"restart.json": {"do": "restart", "what": "box"}, "wipe.json": {"do": "wipe"}}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "orders").iterdir()} == {0o600}
    assert (tmp_path / "orders").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("word", "fields"), [
    ("shutdown", {}), ("restart", {}), ("restart", {"what": "router"}), ("restart", {"what": ["box"]}),
    ("wipe", {"what": "box"})])
def test_what_is_not_on_the_list_is_not_ordered(orders, tmp_path, word, fields):
    with pytest.raises(LocalMisuse):
        orders.place(word, **fields)
    assert not left(tmp_path)


def test_what_nobody_here_takes_is_not_ordered(tmp_path, clock):
    with pytest.raises(LocalMisuse):
        Orders(tmp_path, frozenset({"restart"}), clock.monotonic).place("wipe")
    assert not left(tmp_path)


def test_only_on_the_image_are_orders_taken_and_those_that_its_root_side_knows(monkeypatch):
    monkeypatch.delenv(ORDERS_VARIABLE, raising=False)
    assert words_here() == frozenset()
    monkeypatch.setenv(ORDERS_VARIABLE, "wipe:make-coffee")
    assert words_here() == {"wipe"}


def test_an_order_that_nobody_takes_is_removed_and_told_for_a_day(orders, tmp_path, clock):
    orders.place("wipe")
    clock.advance(PATIENCE_S - 1)
    orders.look()
    assert left(tmp_path) and not orders.notices()
    clock.advance(1)
    orders.look()
    line, = orders.notices()
    assert not left(tmp_path) and Notice.of(line).sentence == NOT_TAKEN["wipe"]
    clock.advance(TOLD_S)
    orders.look()
    assert not orders.notices()


def test_an_order_that_was_taken_is_not_told_and_a_new_one_ends_the_telling_of_the_last(orders, tmp_path, clock):
    orders.place("update")
    (tmp_path / "orders/update.json").unlink()
    clock.advance(PATIENCE_S * 2)
    orders.look()
    assert not orders.notices()
    orders.place("update")
    clock.advance(PATIENCE_S)
    orders.look()
    assert orders.notices()
    orders.place("update")
    assert not orders.notices()


def test_an_order_of_an_earlier_run_is_removed_too(orders, tmp_path, clock):
    orders.place("restart", what="box")
    clock.advance(10 * PATIENCE_S)
    later = Orders(tmp_path, ALL, clock.monotonic)
    later.look()
    assert left(tmp_path)
    clock.advance(PATIENCE_S)
    later.look()
    assert not left(tmp_path) and later.notices()


def test_what_else_lies_in_the_folder_does_not_matter(orders, tmp_path, clock):
    orders.place("wipe")
    (tmp_path / "orders/wipe.json").unlink()
    (tmp_path / "orders/wipe.json").mkdir()
    os.mkfifo(tmp_path / "orders/update.json")
    orders.look()
    clock.advance(PATIENCE_S)
    orders.look()
    assert (tmp_path / "orders/wipe.json").is_dir() and not (tmp_path / "orders/update.json").exists()
    assert len(orders.notices()) == 2


def test_every_order_has_its_sentence_for_when_nobody_takes_it():
    assert set(NOT_TAKEN) == set(WORDS)


@pytest.mark.parametrize("content", [
    b"", b"{", b"null", b"[]", b'"wipe"', b'{"do": null}', b'{"do": ["wipe"]}', b'{"do": "Wipe"}',
    b'{"do": "wipe", "x": 1}', b'{"do": "restart", "what": {}}', b'{"what": "box"}', b"\xff\xfe", b"[" * 3000,
    b'{"do": "wipe"}' + b" " * MAX_ORDER_BYTES])
def test_octets_that_are_no_order_are_none(content):
    assert order_in(content) is None


def test_an_order_of_the_list_is_read():
    assert order_in(b'{"what": "box", "do": "restart"}') == {"do": "restart", "what": "box"}


def test_an_order_is_on_the_card_before_it_takes_its_place_and_so_is_its_name_after(tmp_path, monkeypatch):
    orders = Orders(tmp_path, frozenset(["update"]), lambda: 0.0)
    syncs = Syncs(monkeypatch)
    orders.place("update")
    assert syncs.moves == 1 and syncs.lacking() == []
