"""What was heard in the field becomes the same again: captures are replayed to the real receive path."""

import io
import json
from pathlib import Path

import pytest

from node.daemon.captures import line_of, read_capture
from node.model.keys import verify
from tests.replay.island import Replay

CAPTURES = sorted(Path(__file__).parent.glob("captures/*.capture"))


def capture_of(lines):
    return read_capture(io.BytesIO(b"".join(map(line_of, lines))))


def entries_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def report(capture):
    return Replay(capture).run().report()


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_of_everything_that_was_captured_the_same_becomes_again(path):
    with path.open("rb") as stream:
        told = report(read_capture(stream))
    assert not told["differs"] and not told["left_out"], told
    assert sum(told["same"].values()) >= 8, told


def test_there_is_a_capture_of_each_way():
    assert [path.stem for path in CAPTURES] == ["air", "broker", "lan"]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_replay_tells_what_differs(path, monkeypatch):
    """A program that believes every signature would let in what was refused."""
    real = Replay(capture_of(entries_of(path)))
    monkeypatch.setattr("node.replica.admission.verify", lambda public, signature, message: not verify(
        public, signature, message))
    assert real.run().report()["differs"]


FATES = ["kept", "penned", "expired", "early", "signature", "revoked", "superseded", "retracted",
         "record-too-short", "record-version", "record-kind", "record-flags", "record-life"]


@pytest.mark.parametrize(("via", "fates"), [
    ("radio", FATES), ("mqtt", FATES), ("lan", FATES), ("bundle", [*FATES, "over-share"])])
def test_whatever_can_become_of_a_record_is_made_to_become_of_it_by_every_way(via, fates):
    lines = [{"is": "capture", "version": 1, "up": ["radio", "mqtt"]}]
    for number, fate in enumerate(fates, 1):
        at = 1_000 * number
        lines.append({"is": "record", "at": at, "number": number, "octets": 120, "author": number, "kind": "bulletin"})
        lines += {
            "radio": [{"is": "heard", "at": at, "link": "radio", "island": 1, "says": [["whole", number, 1]]}],
            "mqtt": [{"is": "heard", "at": at, "link": "mqtt", "puts": number}],
            "lan": [{"is": "lan", "at": at, "way": "asked", "about": "trade", "ids": 0, "brings": [number]}],
            "bundle": []}[via]
        lines.append({"is": "became", "at": at, "record": number, "via": via, "reason": fate})
    told = report(capture_of(lines))
    assert not told["differs"] and not told["left_out"], told
    assert sum(told["same"].values()) == len(fates)


def test_every_kind_of_record_and_every_section_can_be_said_again():
    kinds = ["bulletin", "event", "reply", "retraction", "cancellation", "vouch", "revocation", "renewal", "turnout"]
    lines = [{"is": "capture", "version": 1, "up": ["radio"]}]
    for number, kind in enumerate(kinds, 1):
        lines += [{"is": "record", "at": number, "number": number, "octets": 176, "author": 1, "kind": kind, "about": 1},
                  {"is": "heard", "at": 1_000 * number, "link": "radio", "island": 1, "node": 1, "relay": 2, "hops": 1,
                   "says": [["whole", number, 1]]},
                  {"is": "became", "at": 1_000 * number, "record": number, "via": "radio",
                   "reason": "kept"}]
    said = [["near", 1, 2, 3], ["sum", 0, 9, 4], ["sum", 0, 3_000, 40], ["have", 0, 9, 30, 0, 0, 1], ["need", 0, 3],
            ["need", 65_535, 1], ["more", 0, 1, 3, 1]]
    lines += [{"is": "heard", "at": 60_000 + 1_000 * at, "link": "radio", "island": 2, "says": [one]}
              for at, one in enumerate(said)]
    lines += [{"is": "record", "at": 80_000, "number": 20, "octets": 400}] + [
        {"is": "heard", "at": 80_000, "link": "radio", "island": 2, "says": [["piece", 20, 3, index, 1]]}
        for index in (0, 200, 2)] + [{"is": "became", "at": 80_000, "record": 20, "via": "radio", "reason": "kept"}]
    told = report(capture_of(lines))
    assert not told["differs"] and not told["left_out"], told
    assert told["same"]["radio: kept"] == len(kinds) + 1


def test_what_no_packet_can_say_is_left_out_and_told():
    lines = [{"is": "capture", "version": 1, "up": ["radio"]},
             {"is": "record", "at": 0, "number": 1, "octets": 1_000, "kind": "bulletin"},
             {"is": "heard", "at": 1, "link": "radio", "island": 1, "says": [["whole", 1, 1]] * 3},
             {"is": "heard", "at": 2, "link": "radio", "refused": "packet-unheard-of"}]
    assert report(capture_of(lines))["left_out"] == {"radio: cannot be said": 1, "radio: packet-unheard-of": 1}
