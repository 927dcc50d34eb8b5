"""A capture that somebody hands in: it is read whole or refused, says what it may say and no more, and is written the same."""

import io
import json

from node.daemon.captures import MAX_LINES, MAX_OCTETS, VERSION, is_sound, line_of, read_capture
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable, texts_in

HEAD = line_of({"is": "capture", "version": VERSION, "up": ["radio"]})
ENTRIES = (
    {"is": "record", "at": 1, "number": 1, "kind": "bulletin", "octets": 96, "author": 2, "about": 0, "whom": 3, "urgent": 1, "held": 1},
    {"is": "heard", "at": 2, "link": "lora", "node": 4, "hops": 1, "left": 2, "relay": 3, "snr": -7, "rssi": -110, "octets": 88, "says": [
        ["whole", 1, 1], ["piece", 1, 3, 0, 1], ["sum", -2, 10, 20], ["have", 0, 3, 40, 1, 2, 3, 4], ["need", 2, 3], ["more", 2, 1, 3, 2],
        ["near", 1, 2, 3], ["near"]]},
    {"is": "sent", "at": 3, "link": "lora", "label": "bulletin", "says": [["whole", 1, 0]], "strict": 1, "to": 3},
    {"is": "heard", "at": 3, "link": "mqtt", "puts": 1, "again": 2, "refused": "tag", "island": 2, "clears": 3},
    {"is": "done", "at": 4, "link": "lora", "outcome": "sent"}, {"is": "link", "at": 5, "link": "lora", "up": 0},
    {"is": "became", "at": 6, "record": 1, "via": "lora", "reason": "kept", "bulk": 1},
    {"is": "lan", "at": 7, "way": "asked", "about": "trade", "ids": 4, "brings": [1], "more": 3, "same": 1, "later": 1, "reason": "none"},
    {"is": "end", "at": 9, "why": "time", "counted": {"kept": 4}, "left-out": 3})


def run(octets):
    """The octets as a file, behind a good first line, and as an entry between two."""
    for content in (octets, HEAD + octets, HEAD + octets.replace(b"\n", b" ") + b"\n" + line_of(ENTRIES[-1])):
        capture = refusable(read_capture, io.BytesIO(content))
        if capture is None:
            continue
        assert all(is_sound(entry) for entry in (capture.head, *capture.entries)) and len(capture.entries) <= MAX_LINES
        assert capture.whole == (content.rpartition(b"\n")[0].rpartition(b"\n")[2].find(b'"end"') >= 0) or not capture.entries
        assert sum(1 for kind in ("heard", "end") for _ in capture.of(kind)) <= len(capture.entries)
        again = b"".join(map(line_of, (capture.head, *capture.entries)))
        assert read_capture(io.BytesIO(again)) == capture


def seeds():
    yield b"".join(map(line_of, ENTRIES))
    yield HEAD + b"".join(map(line_of, ENTRIES))
    for entry in ENTRIES:
        yield line_of(entry)[:-1]
        for name in entry:
            for wrong in (-1, 1.5, True, None, "x", [], [[]], {}, 1 << 40):
                yield json.dumps(entry | {name: wrong}).encode()
            yield json.dumps({key: value for key, value in entry.items() if key != name}).encode()
    for said in (["whole"], ["whole", 1, 1, 1], ["near", *range(16)], [1], ["nobody"], "whole", ["have", 0, 3, 40, 1, 2]):
        yield json.dumps(ENTRIES[2] | {"says": [said]}).encode()
    yield from (b"[]", b"{}", b"[" * 3_000, b"{", b'{"is": "capture", "version": 2, "up": []}', HEAD, HEAD * 2, line_of(ENTRIES[-1]) * 2, b"",
                b'{"is": "end", "at": 1' + b"0" * 5_000 + b"}", HEAD + b" " * 5_000, b"\xff\n", b'{"is": [1]}', b"\n" * (MAX_LINES + 9))
    yield (HEAD + b" " * 4_000 + b"\n") + (b" " * 4_000 + b"\n") * (MAX_OCTETS // 4_000 + 1)
    yield from texts_in("tests/daemon/test_captures.py", 8)


TARGET = Target(run, ("node/daemon/captures.py",), seeds, 3_000, (b'{"is":"', b'"says":[["', b'"at":', b"whole", b"piece", b"have", b"near", b"\n"),
                beside={"what we write": ("steps",)})
