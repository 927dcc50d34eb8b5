"""What the island asks of its box, as whoever has taken the island over may leave it: one order of the list or none, a wish for a
card that can be carried out or none; and what the box tells the island."""

import json
import tempfile
from pathlib import Path

from archipel_image.sources import program
from node.daemon.card_order import CARD_KEYS, filled_in, told_in, wish_in
from node.daemon.orders import WORDS, order_in
from node.daemon.settings_reader import read
from tests.fuzz.kinds import OVERLAY, Target
from tests.fuzz.seeding import MEMORY

TAKING = program("take_order")
PART = b"\n==\n"


def run(octets):
    """Files parted by `==` in the folder of orders, each named by its first octet; each is a wish, and what a box tells, too."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        place = Path(folder)
        for part in octets.split(PART)[:8]:
            name = sorted(WORDS)[part[0] % len(WORDS)] if part else "other"
            path = place / f"{name}.json"
            if part[1:2] == b"/" and not path.exists():
                path.mkdir()
            elif part[1:2] == b"@" and not path.exists():
                path.symlink_to("/etc/passwd")
            elif not path.is_dir() and not path.is_symlink():
                path.write_bytes(part[1:])
            looked_at(part[1:], place / "told")
        done = [TAKING.main(place) for _ in range(9)]
        assert set(done) <= {*TAKING.STEPS.values(), TAKING.NONE} and done[-1] == TAKING.NONE
        assert not list(place.glob("*.json"))


def looked_at(content, beside):
    order = order_in(content)
    assert order is None or set(order) == {"do", *WORDS[order["do"]]}
    wish = wish_in(content)
    if wish and wish["what"] == "write":
        assert set(wish["settings"]) <= set(CARD_KEYS)
        made = read(filled_in(LINES, wish["settings"]).encode())
        assert not made.notices, [str(notice.sentence) for notice in made.notices]
        assert {f"{section} {key}" for section, key in made.given} == set(wish["settings"])
    beside.write_bytes(content)
    assert isinstance(told_in(beside), dict)
    beside.unlink()
    assert told_in(beside) == {}


LINES = "".join(f"[{name.split(' ')[0]}]\n# {name.split(' ')[1]} = \"\"\n" for name in CARD_KEYS)


def seeds():
    write = {"what": "write", "label": "0" * 16, "reader": "sda", "seen": "f" * 16, "settings": {}, "invitation": "", "board": False}
    number = {word: bytes([at]) for at, word in enumerate(sorted(WORDS))}
    for word in WORDS:
        for fields in ({}, {"what": "island"}, {"what": "box"}, {"what": ["box"]}, {"more": 1}):
            yield number[word] + json.dumps({"do": word, **fields}).encode()
    yield PART.join(number[word] + json.dumps({"do": word}).encode() for word in WORDS)
    yield number["wipe"] + json.dumps({"do": "update"}).encode() + PART + number["update"] + b"/" + PART + number["card"] + b"@"
    for content in (b"[]", b"[" * 3_000, b"{", b'{"do": ["wipe"]}', b'{"do": null}', b"x" * 5_000, b"7", b"\xff"):
        yield b"\0" + content
    yield PART
    yield b"\0" + json.dumps({"what": "look", "label": "0" * 16}).encode()
    for fields in ({}, {"reader": "mmcblk0"}, {"reader": "sda1"}, {"reader": "../sda"}, {"seen": 7}, {"board": 1}, {"board": True},
                   {"invitation": "é"}, {"invitation": "A" * 30}, {"label": "x"}, {"what": "wipe"}, {"settings": []}, {"settings": {"box x": "y"}}):
        yield b"\0" + json.dumps(write | fields).encode()
    for name in CARD_KEYS:
        for value in ("Canal", "fr", "FR", "Europe/Paris", "un chat gris du canal", "", "x\ny", 'a"b', "\u202e", "x" * 300, 7, "\ud800", "\x7f", " a "):
            yield b"\0" + json.dumps(write | {"settings": {name: value}}).encode()
    yield b"\0" + json.dumps(write | {"settings": {"portal name": "Canal", "box country": "FR", "box wifi_password": "un chat gris"}}).encode()


TARGET = Target(run, (f"{OVERLAY}/take_order.py: main taken remove remove_others", "node/daemon/orders.py: order_in _right",
                      "node/daemon/card_order.py: wish_in _is settings_lines wrong_settings filled_in _text told_in"), seeds, 2_000,
                (PART, b'{"do": "', b'"what": "write"', b'"settings": {"', b'"box country": "'), share=4, aside={
                    "files are written whole here": ("if stat.S_ISREG",)})
