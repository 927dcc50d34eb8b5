"""A capture may come from anybody: reading one is bounded, and refuses in one way."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.daemon.capture_summary import summary
from node.daemon.captures import (
    MAX_LINE_OCTETS,
    MAX_LINES,
    MAX_OCTETS,
    SHAPES,
    is_sound,
    line_of,
    read_capture,
)
from node.model.errors import RemoteFault
from tests.effort import EFFORT

pytestmark = pytest.mark.once

CAPTURES = sorted((Path(__file__).parents[1] / "replay" / "captures").glob("*.capture"))
HEAD = {"is": "capture", "version": 1, "up": ["radio"]}
END = {"is": "end", "at": 5, "why": "time", "counted": {}, "left-out": 0}
VALUES = [None, True, -1, 1 << 70, 1.5, float("nan"), "", "x" * 3_000, "\u202e", [], [[]], {}, {"a": 1}, [1] * 300, "radio"]
FITTING = {"snr": (-1,), "rssi": (-1,)}


def read(*lines):
    return read_capture(io.BytesIO(b"".join(line if isinstance(line, bytes) else line_of(line) for line in lines)))


def refusal(*lines):
    with pytest.raises(RemoteFault) as fault:
        read(*lines)
    return fault.value.reason


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_is_read_and_written_again_to_the_octet(path):
    content = path.read_bytes()
    capture = read_capture(io.BytesIO(content))
    assert capture.whole and b"".join(map(line_of, (capture.head, *capture.entries))) == content
    assert summary(capture)["why"] == "asked" and len(content) > 1_500


@pytest.mark.parametrize(("lines", "reason"), [
    ([], "capture-empty"), ([b"\n"], "capture-line"), ([b"\xff\xfe\n"], "capture-line"),
    ([b"[" * 4_000 + b"\n"], "capture-line"),
    ([b"[]\n"], "capture-line"), ([b"{}\n"], "capture-entry"), ([b"9" * 4_000 + b"\n"], "capture-line"),
    ([END], "capture-head"), ([HEAD, HEAD], "capture-order"), ([HEAD, END, END], "capture-order"),
    ([HEAD | {"version": 2}], "capture-version"), ([HEAD | {"version": True}], "capture-entry"),
    ([HEAD | {"owner": "Nadia"}], "capture-entry"), ([HEAD, b" " * MAX_LINE_OCTETS + b"\n"], "capture-size"),
    ([HEAD, {"is": "end", "at": 1}], "capture-entry"), ([HEAD, {"is": ["end"]}], "capture-entry"),
])
def test_what_is_no_capture_is_refused_with_its_reason(lines, reason):
    assert refusal(*lines) == reason


def test_a_capture_of_too_many_lines_or_octets_is_refused_before_it_is_read_as_a_whole():
    for line in (line_of({"is": "link", "at": 1, "link": "radio", "up": 1}), b"x" * (MAX_LINE_OCTETS - 1) + b"\n"):
        class Endless(io.RawIOBase):
            taken = 0

            def readline(self, size=-1, line=line):
                self.taken += 1
                return line_of(HEAD) if self.taken == 1 else line

        stream = Endless()
        with pytest.raises(RemoteFault, match="capture-size"):
            read_capture(stream)
        assert stream.taken <= min(MAX_LINES, MAX_OCTETS // len(line)) + 3


def test_a_last_line_that_was_cut_off_is_left_out():
    capture = read(HEAD, {"is": "link", "at": 1, "link": "mqtt", "up": 0}, line_of(END)[:-5])
    assert not capture.whole and [entry["is"] for entry in capture.entries] == ["link"]


def test_of_every_kind_of_entry_each_field_is_looked_at():
    looked_at = 0
    for path in CAPTURES:
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            assert is_sound(entry)
            for name in entry:
                for value in VALUES:
                    spoilt = entry | {name: value}
                    looked_at += 1
                    sound = (spoilt == entry and value is not True) or value in FITTING.get(name, ())
                    assert is_sound(spoilt) == sound or value in ([], {}, "radio", {"a": 1}), (entry, name, value)
            assert not is_sound(entry | {"text": "Soupe"})
    assert looked_at > 5_000 and {"heard", "sent", "became", "lan"} < set(SHAPES)


@settings(max_examples=60 * EFFORT, deadline=None)
@given(st.data())
def test_whatever_is_read_nothing_but_the_one_refusal_comes_of_it(data):
    content = bytearray(data.draw(st.sampled_from(CAPTURES)).read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at:at + data.draw(st.integers(0, 3))] = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from(
            [b"[", b"{", b"\n", b'"', b"9" * 30, b"null", b"1e999", b"\\ud800"])))
    try:
        told = summary(read_capture(io.BytesIO(content)))
    except RemoteFault as fault:
        told = fault.reason.startswith("capture-")
    assert told
