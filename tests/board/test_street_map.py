"""A street map that is handed in: only what has its form is taken, and what is shown is put together anew."""

import random

import pytest

from node.board.api import DraftRefused
from node.board.street_map import MAX_FILE_BYTES, MAX_NAMES, StreetMap, StreetName, street_map_of

NAMES = (StreetName(10, -20, 0, 17, 0, "q", "Pl. d’Armes <&>"), StreetName(-4, 5, -62, 0, 1, "s", "R. des Lilas"),
         StreetName(0, 9, 90, -17, 2, "k", "حي القناة"))
MAP = StreetMap((48.871, 2.365), 1_087, {"street": "M-10 20l5-3 2 8", "water": "M0 0l9 0 0 9z"}, NAMES)


def refusal(raw):
    with pytest.raises(DraftRefused) as refused:
        street_map_of(raw)
    return refused.value.problems[0].code


def test_a_file_that_was_drawn_is_taken_as_it_was():
    assert street_map_of(MAP.svg().encode()) == MAP


@pytest.mark.parametrize(("line", "hidden"), [
    ('<script>alert(1)</script>', "script"), ('<image href="http://a.b/c.png"/>', "http://a.b"),
    ('<text class="word s0" onclick="x()" transform="translate(1 1)" dy="0.35em">Bonjour</text>', "onclick"),
    ('<path id="street" onload="x()" d="M1 1l2 2"/>', "onload"), ('<path id="evil" d="M1 1l2 2"/>', "evil"),
    ('<text class="word z0" transform="translate(1 1)" dy="0.35em">Sorte inconnue</text>', "Sorte"),
    ('<style>@import url(x)</style>', "@import"), ('<a href="javascript:x()">', "javascript"),
    ('<text class="word s0" transform="translate(1 1)" dy="0.35em">&lt;b&gt;gras&lt;/b&gt;</text>', "<b>"),
])
def test_what_else_a_file_holds_is_not_kept(line, hidden):
    kept = street_map_of(MAP.svg().replace("</svg>", f"{line}\n</svg>").encode())
    assert hidden not in kept.svg().partition("</title>")[2]


@pytest.mark.parametrize("raw", [
    b"", b"\xff" * 100, b"<svg></svg>", MAP.svg().replace("data-around", "data-x").encode(),
    MAP.svg().replace('data-reach="1087"', 'data-reach="99999"').encode(),
    MAP.svg().replace("48.87100", "89.99999").encode(), StreetMap((48.0, 2.0), 1_000).svg().encode(),
    MAP.svg().replace("M-10 20l5-3 2 8", "M-10 20l5-3 2 8 7").replace("M0 0l9 0 0 9z", "M0 0z9l").encode(),
])
def test_what_is_no_street_map_is_refused(raw):
    assert refusal(raw) == "street-map"


def test_what_weighs_too_much_is_refused():
    rng = random.Random(1)
    heavy = "M0 0l" + " ".join(str(rng.randrange(100, 999)) for _number in range(14_000))
    assert refusal(MAP.svg().replace("M0 0l9 0 0 9z", heavy).encode()) == "street-map-bytes"
    assert refusal(b" " * (MAX_FILE_BYTES + 1)) == "street-map-bytes"


def test_names_beyond_the_bound_are_left_out():
    one = next(line for line in MAP.svg().splitlines() if "Lilas" in line)
    kept = street_map_of(MAP.svg().replace(one, "\n".join([one] * 200)).encode())
    assert len(kept.names) == MAX_NAMES


def test_spoilt_files_are_taken_in_part_or_refused():
    whole, rng, refused = MAP.svg().encode(), random.Random(2), 0
    for _file in range(300):
        spoilt = bytearray(whole)
        for _octet in range(rng.randrange(1, 9)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        try:
            kept = street_map_of(bytes(spoilt))
            assert street_map_of(kept.svg().encode()) == kept
        except DraftRefused:
            refused += 1
    assert 0 < refused < 300


def test_seen_nearer_it_has_more_names_and_thinner_lines_and_from_afar_none():
    whole, near, far = (MAP.svg(span) for span in (1_000, 250, 5_000))
    assert ("Lilas" in whole, "Lilas" in near, "Armes" in far) == (False, True, False)
    assert 'stroke-width="5.5"' in whole and 'stroke-width="5.5"' not in near
    assert "display" in MAP.svg() and "display" not in near and "display" not in MAP.drawn(1.0)
