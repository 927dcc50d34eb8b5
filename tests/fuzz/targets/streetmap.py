"""A street map's file, handed in by a keeper: what is taken is drawn as a sound file, which is taken again the same."""

from xml.etree.ElementTree import fromstring

from node.board.api import DraftRefused
from node.board.street_map import MAX_FILE_BYTES, street_map_of
from tests.fuzz.kinds import Target


def run(octets):
    try:
        made = street_map_of(octets)
    except DraftRefused as refused:
        assert [problem.field for problem in refused.problems] == ["street_map"]
        return
    drawn = made.svg()
    fromstring(drawn)
    assert "<script" not in drawn
    again = street_map_of(drawn.encode())  # a place with so many digits that nobody can see them has fewer then
    assert (again.paths, again.names, again.reach_m) == (made.paths, made.names, made.reach_m)
    assert street_map_of(again.svg().encode()) == again
    fromstring("<g xmlns:xlink='x'>" + made.drawn(3.0, whole=True) + "</g>")
    made.svg(made.reach_m / 2)
    assert made.radius_m > 0 and min(made.weights()) > 0


def seeds():
    from tests.web.sample import streets_of_a_small_town

    whole = streets_of_a_small_town()
    lines = whole.splitlines(keepends=True)
    yield whole[:30_000]
    short = [line[:300] if line.startswith(b"<path") and len(line) < 300 else line for line in lines if len(line) < 300]
    yield b"".join(short)
    yield b"".join(short).replace(b"48.", b"88.", 1)
    yield b"".join(short).replace(b"</text>", b"&lt;b&gt;&amp;</text>", 9)
    head = next(line for line in lines if line.startswith(b"<svg "))
    yield head + b'<path id="street" d="M0 0l5 5"/>\n</svg>'
    yield head + b'<path id="water" d="M0 0l5 5 9 -9z"/>\n</svg>'
    yield b"<svg>"
    yield bytes(MAX_FILE_BYTES + 1)
    yield whole.replace(b"</svg>", b"") + b'<path id="rail" d="M0 0l5 5"/>\n<path id="street" d="' + b"M0 0l5 5" * 9_000 + b'"/></svg>'
    yield b"".join(short).replace(b"</svg>", b'<path id="rail" d="M0 0l5 5"/>\n</svg>')


TARGET = Target(run, (
    "node/board/street_map.py: street_map_of _name checked StreetMap.svg StreetMap.drawn",), seeds, 8_000)
