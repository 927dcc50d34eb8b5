"""docs/meanings.md: what is written as iCalendar and read again on another island means the same, field by field."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from node.board.api import Draft
from node.model.event import Exempt, Repetition, Rhythm, occasions
from node.model.foreign import Foreign, foreign_key
from node.model.record import Kind
from tests.sim.portals import Neighbourhood, portal_settings
from web import create_app

TABLE = (Path(__file__).parents[2] / "docs" / "meanings.md").read_text(encoding="utf-8")
FIELDS = re.findall(r"^\| ([a-z_]+) \| `", TABLE, re.MULTILINE)
WHOLE = Draft(Kind.EVENT, "Venez !\n\nAvec une chaise ; ou deux, \\ ici.", 1, 4, title="Repas, « partagé »",
              place="8, rue du Canal", organiser="AMAP ; du canal", link="https://exemple.org/a,b;c", offset=-16,
              position=(48.87, 2.36))
FOREIGN = Foreign(foreign_key("204@semaphore.exemple.org", "", ""), 7, 900_000)
CHANGED = {  # by field, what else is posted to see it come back
    "cancelled": {"foreign": replace(FOREIGN, key=b"1" * 8, off=True)},
    "called_off": {"foreign": replace(FOREIGN, key=b"2" * 8, off=True), "called_off": "Fuite d’eau"},
    "tentative": {"foreign": replace(FOREIGN, key=b"3" * 8, tentative=True)},
    "foreign": {"foreign": FOREIGN},
    "source": {"foreign": replace(FOREIGN, key=b"4" * 8), "source": "Le sémaphore", "link": ""},
    "language": {"language": 4},
}
OFF = ["cancelled", "called_off"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """By field, the event here and what another island makes of our agenda, asked for before and after a cancellation."""
    here, there = (Neighbourhood(tmp_path_factory.mktemp(name)) for name in ("here", "there"))
    client = create_app(here.board, portal_settings()).test_client()
    start = here.board.now() + 3_000 - (here.board.now() + 3_000) % 1440
    for fields in (FIELDS, OFF):
        for number, name in enumerate(fields):
            draft = drafted(name, start + 1440 * number, fields is OFF)
            post(here.board, draft, here.board.own_witness(draft.foreign.key) if fields is OFF else None)
        shown = there.board.imports.look(client.get("/agenda.ics").data, "x")
        there.board.imports.take(shown.id, "lea")
    yield {name: tuple(titled(island.board, name) for island in (here, there)) for name in FIELDS}
    for island in (here, there):
        island.archive.close()


def drafted(name, start, off):
    draft = replace(WHOLE, title=f"{WHOLE.title} {name}", start=start, end=start + 90, **CHANGED.get(name, {}))
    if name in OFF and not off:
        return replace(draft, foreign=replace(draft.foreign, off=False, sequence=6), called_off="")
    if name == "whole_days":
        return replace(draft, start=start - 60, end=start - 60 + 2 * 1440, offset=4, whole_days=True)
    if name == "repetition":
        return replace(draft, repetition=Repetition(Rhythm.WEEKS, 2, 5, exempt=(Exempt(1), Exempt(2, 1500))))
    return draft


def post(board, draft, item):
    board.imports._take_in([board.sign_own(board.offer(draft, item).record)])


def titled(board, name):
    found = [item for item in board.events(board.now(), board.now() + 10**6) if item.title.endswith(f" {name}")]
    return board.item(found[0].id) if found else None


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_comes_back_as_it_was(both, name):
    ours, theirs = both[name]
    match name:
        case "foreign":
            assert theirs.event.foreign == ours.event.foreign == FOREIGN
        case "source":
            assert "Le sémaphore" in ours.origin.name
        case "repetition":
            assert [(one.start, one.end, one.off, one.moved) for one in occasions(theirs.event)] == [
                (one.start, one.end, one.off, one.moved) for one in occasions(ours.event)]
        case "called_off" | "cancelled":
            assert theirs.cancelled == ours.cancelled == CHANGED[name].get("called_off", "")
        case "position":
            assert theirs.position == pytest.approx(ours.position, abs=1e-4)
        case _:
            assert getattr(theirs, name) == getattr(ours, name)
