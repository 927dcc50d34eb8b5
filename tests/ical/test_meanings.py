"""docs/meanings.md: what is written and read again on another island means the same, field by field, as iCalendar and as
h-event; as ActivityStreams and schema.org, each field is where the table says."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from node.board.api import Draft, Item
from node.gather.source_pages import h_events
from node.gather.told import ToldSource, calendar_of
from node.model.clock import minute_of
from node.model.event import Exempt, Repetition, Rhythm, occasions
from node.model.foreign import Foreign, foreign_key
from node.model.marks import EVENT_MARKS
from node.model.record import Kind
from tests.sim.portals import Neighbourhood, portal_settings
from web import create_app
from web.schema_org import event_of

TABLE = (Path(__file__).parents[2] / "docs" / "meanings.md").read_text(encoding="utf-8")
FIELDS = re.findall(r"^\| ([a-z_]+) \| `", TABLE, re.MULTILINE)
COLUMNS = [re.split(r" ?\| ?", line)[1:-1] for line in re.findall(r"^\| [a-z_]+ \|.*$", TABLE, re.MULTILINE)]
PLACES = {name: {row[0]: re.findall(r"`([^`]+)`", row[number]) for row in COLUMNS}
          for number, name in ((2, "ActivityStreams"), (4, "schema.org"), (5, "h-event"))}  # by column and field
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
    "marks": {"marks": EVENT_MARKS},
}
OFF = ["cancelled", "called_off"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """By field, the event here and what another island makes of our agenda, asked for before and after a cancellation."""
    here, there, pages = (Neighbourhood(tmp_path_factory.mktemp(name)) for name in ("here", "there", "pages"))
    client = create_app(here.board, portal_settings()).test_client()
    start = here.board.now() + 3_000 - (here.board.now() + 3_000) % 1440
    for fields in (FIELDS, OFF):
        for number, name in enumerate(fields):
            draft = drafted(name, start + 1440 * number, fields is OFF)
            post(here.board, draft, here.board.own_witness(draft.foreign.key) if fields is OFF else None)
        for island, content in ((there, client.get("/agenda.ics").data), (pages, told_by_pages(client, here.board))):
            island.board.imports.take(island.board.imports.look(content, "x").id, "lea")
        for island in (here, there, pages):
            island.clock.advance(120)  # a later version has a later minute
    found = [titled(here.board, name) for name in FIELDS]
    activities = client.get("/agenda.as.json").get_json(True)["orderedItems"]
    with client.application.test_request_context():
        schemas = {name: event_of(item) for name, item in zip(FIELDS, found, strict=True)}
    yield {name: Given(*(titled(island.board, name) for island in (here, there, pages)),
                       next(one for one in activities if one["name"].endswith(f" {name}")), schemas[name])
           for name in FIELDS}
    for island in (here, there, pages):
        island.archive.close()


def told_by_pages(client, board):
    """What the pages of all our events tell, as the gatherer hands it on."""
    found = [titled(board, name).id[:12] for name in FIELDS]
    return calendar_of(ToldSource(events=[event for digits in found for event in h_events(
        client.get(f"/r/{digits}").get_data(as_text=True), f"https://canal.exemple.org/r/{digits}").events]))


class Given(NamedTuple):
    """An event here, as another island has it of our calendar and of our pages, and as it is told otherwise."""

    ours: Item
    theirs: Item
    of_page: Item
    activity: dict
    schema: dict


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
    verdict, = board.imports._take_in([board.sign_own(board.offer(draft, item).record)])
    assert verdict.kept, verdict


def titled(board, name):
    found = [item for item in board.events(board.now(), board.now() + 10**6) if item.title.endswith(f" {name}")]
    return board.item(found[0].id) if found else None


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_comes_back_as_it_was(both, name):
    ours, theirs = both[name][:2]
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


@pytest.mark.parametrize("name", [name for name in FIELDS if PLACES["h-event"].get(name)])
def test_a_field_comes_back_from_our_page_as_it_was(both, name):
    ours, theirs = both[name].ours, both[name].of_page
    match name:
        case "position":
            assert theirs.position == pytest.approx(ours.position, abs=1e-4)
        case "foreign":
            assert theirs.event.foreign.key == foreign_key(f"{ours.event.foreign.key.hex()}@archipel", "", "")
            assert theirs.event.foreign.modified == ours.changed
        case "cancelled":
            assert theirs.cancelled is not None and ours.cancelled is not None
        case _:
            assert getattr(theirs, name) == getattr(ours, name)


@pytest.mark.parametrize(("column", "name"), [
    (column, name) for column in ("ActivityStreams", "schema.org") for name in FIELDS if PLACES[column].get(name)])
def test_a_field_is_where_the_table_says(both, column, name):
    told = both[name].activity if column == "ActivityStreams" else both[name].schema
    assert PLACES[column][name]
    for place in PLACES[column][name]:
        found = told
        for part in place.split("."):
            found = found[0] if isinstance(found, list) else found
            assert part in found, place
            found = found[part]
        assert found or found is False, place
    match name:
        case "title":
            assert told["name"] == both[name].ours.title
        case "start" | "end":
            (place,) = PLACES[column][name]
            moment = datetime.fromisoformat(told[place])
            assert minute_of(moment.timestamp()) == getattr(both[name].ours, name)
            assert moment.utcoffset() == timedelta(minutes=15 * both[name].ours.offset)
        case "cancelled":
            assert str(told[PLACES[column][name][0]]).rpartition("Event")[2].upper() == "CANCELLED"
