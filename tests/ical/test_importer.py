"""Agendas taken over: once, with corrections and cancellations, where they came from, and never in others' place."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from node.board.api import Draft, DraftRefused, Origin
from node.board.import_sources import KEPT_MIN, MAX_KNOWN, ImportSource, ImportSources, Known
from node.ical.import_plan import MAX_AT_ONCE
from node.ical.taking import MAX_HELD
from node.model.record import Kind, Record
from node.replica.quota import LIMITS, Category
from node.store.index import StoreFailed
from tests.ical.agendas import AGENDA_DU_LIBRE, DEMOSPHERE, GANCIO, MOBILIZON, calendar, event
from tests.sim.portals import HERE, Neighbourhood

FIRST = (datetime(2025, 12, 2, 19) - datetime(2024, 1, 1)) // timedelta(minutes=1)
SAME = ("title", "text", "place", "organiser", "link", "start", "end", "offset", "topic", "language")


@pytest.fixture
def importer(board):
    return board.imports


def taken(importer, content, name="agenda.ics", address=""):
    """Looks at a file and takes it; how many were new, changed, cancelled, unchanged."""
    shown = importer.look(content, name, address)
    done = importer.take(shown.id, "lea")
    assert done == shown
    return len(done.new), len(done.changed), len(done.cancelled), done.unchanged


@pytest.fixture
def give(importer):
    return partial(taken, importer)


def events(board):
    return board.events(board.now(), board.now() + 400 * 1440)


def items(board):
    return {item.title: board.item(item.id) for item in events(board)}


@pytest.mark.parametrize("content", [GANCIO, DEMOSPHERE, MOBILIZON, AGENDA_DU_LIBRE])
def test_an_agenda_is_taken_once_and_its_source_named(board, give, content):
    assert give(content.encode()) == (1, 0, 0, 0)
    assert give(content.encode()) == (0, 0, 0, 1)
    (item,) = items(board).values()
    assert item.origin.name and item.origin.link.startswith("https://") and item.link.startswith(item.origin.link)
    assert item.author.here


def test_looking_posts_nothing_and_tells_the_cost(board, importer):
    shown = importer.look(GANCIO.encode(), "x.ics")
    assert not events(board) and shown.size == 1
    assert shown.cost == board.cost(shown.new[0]) and shown.cost.airtime_s > 0


def test_an_event_that_changed_is_corrected(board, give):
    give(calendar(event("SEQUENCE:1", "LOCATION:Ici"), event(uid="2", summary="Autre")))
    before = items(board)["Bal"]
    assert give(calendar(event("SEQUENCE:2", "LOCATION:Là"), event(uid="2", summary="Autre"))) == (0, 1, 0, 1)
    after = items(board)["Bal"]
    assert (after.place, after.corrected, after.first) == ("Là", True, before.id[:16])
    assert after.origin == before.origin == Origin("Un agenda", "")


def test_an_event_that_moved_to_another_day_is_the_same_event(board, give):
    give(calendar(event()))
    assert give(calendar(event(start="20251203T190000Z"))) == (0, 1, 0, 0)
    assert len(events(board)) == 1


def test_an_older_version_changes_nothing(board, importer, give):
    give(calendar(event("SEQUENCE:2", "LOCATION:Là")))
    assert give(calendar(event("SEQUENCE:1", "LOCATION:Ici"))) == (0, 0, 0, 0)
    assert items(board)["Bal"].place == "Là"
    assert importer.look(calendar(event("SEQUENCE:1", "LOCATION:Ici")), "x").left_out == {"older": 1}


def test_a_cancelled_event_is_called_off_here_too_once(board, importer, give):
    give(calendar(event()))
    cancelled = calendar(event("STATUS:CANCELLED", "COMMENT:La salle est prise"))
    assert give(cancelled) == (0, 0, 1, 0)
    assert items(board)["Bal"].cancelled == "La salle est prise"
    assert give(cancelled) == (0, 0, 0, 1)
    assert give(calendar(event("SEQUENCE:1"))) == (0, 1, 0, 0), "it takes place after all"
    assert items(board)["Bal"].cancelled is None


def test_what_a_keeper_has_called_off_here_stays_so(board, importer, give):
    give(calendar(event()))
    board.cancel_as_keeper(items(board)["Bal"].id, "Tempête", "lea")
    assert importer.look(calendar(event("SEQUENCE:9", summary="Grand bal")), "x").left_out == {"gone": 1}
    assert items(board)["Bal"].cancelled == "Tempête"


def test_what_was_cancelled_before_it_came_is_not_announced(board, importer, give):
    assert give(calendar(event("STATUS:CANCELLED"))) == (0, 0, 0, 0) and not events(board)


def test_what_was_hidden_or_withdrawn_here_does_not_come_back(board, importer, give):
    give(calendar(event()))
    board.hide(items(board)["Bal"].id, keeper="lea")
    assert give(calendar(event("SEQUENCE:9", summary="Bal quand même"))) == (0, 0, 0, 0) and not events(board)
    assert importer.look(calendar(event()), "x").left_out == {"gone": 1}


def test_an_event_put_off_after_its_day_is_announced_again(neighbourhood, board, give):
    give(calendar(event(start="20251203T190000Z")))
    neighbourhood.pass_days(3)
    assert give(calendar(event(start="20251220T190000Z"))) == (1, 0, 0, 0)
    assert items(board)["Bal"].origin


def test_what_a_neighbour_has_announced_is_left_alone(board, importer, give):
    (wanted,) = importer.look(calendar(event("LOCATION:Ici")), "x").new
    board.post(Draft(Kind.EVENT, title="BAL", start=wanted.start, place="Là"))
    assert give(calendar(event("LOCATION:Ici"))) == (0, 0, 0, 0)
    assert give(calendar(event("STATUS:CANCELLED"))) == (0, 0, 0, 0)
    assert [(item.place, item.cancelled) for item in events(board)] == [("Là", None)]


@pytest.mark.parametrize("again", [
    event("URL:https://exemple.org/bal", summary="Le bal, nouvel horaire", start="20251205T200000Z"),
    event(summary="bal"),
])
def test_what_another_island_has_taken_over_is_not_announced_twice(neighbourhood, board, importer, again):
    (draft,) = importer.look(calendar(event()), "x").new
    neighbourhood.event(("Bal", "", "", "", "https://exemple.org/bal"), draft.start)
    shown = importer.look(calendar(again), "x")
    assert (shown.size, shown.left_out) == (0, {"known": 1})


def test_a_repeated_event_is_one_record_with_its_rule(board, give):
    weekly = event("RRULE:FREQ=WEEKLY;COUNT=3", "URL:https://exemple.org/bal", start="20251202T190000Z")
    assert give(calendar(weekly)) == (1, 0, 0, 0)
    assert give(calendar(weekly)) == (0, 0, 0, 1)
    assert [item.start for item in events(board)] == [FIRST + 7 * 1440 * week for week in range(3)]


def test_a_date_that_is_called_off_or_moved_corrects_the_series(board, give):
    give(calendar(event("RRULE:FREQ=WEEKLY;COUNT=3")))
    exempt = event("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20251212T190000Z")
    moved = event("RECURRENCE-ID:20251219T190000Z", start="20251220T200000Z")
    assert give(calendar(exempt, moved)) == (0, 1, 0, 0)
    assert give(calendar(exempt, moved)) == (0, 0, 0, 1)
    assert [(item.off, item.moved) for item in events(board)] == [(False, False), (True, False), (False, True)]


def test_a_series_that_our_rule_cannot_hold_any_more_is_announced_date_by_date_in_its_place(board, give):
    give(calendar(event("RRULE:FREQ=MONTHLY;BYMONTHDAY=5;COUNT=3")))
    odd = calendar(event("RRULE:FREQ=MONTHLY;BYMONTHDAY=5,9,16;COUNT=9"))
    assert give(odd) == (2, 1, 0, 0) and give(odd) == (0, 0, 0, 3)
    assert len(events(board)) == len({item.start for item in events(board)}) == 3


def test_the_last_occurrence_is_not_taken_for_another_one_with_the_same_link(neighbourhood, board, importer):
    neighbourhood.event(("Bal", "", "", "", "https://exemple.org/bal"), board.now() + 600)
    last = event("RRULE:FREQ=WEEKLY;COUNT=2", "URL:https://exemple.org/bal", start="20251127T190000Z")
    assert len(importer.look(calendar(last), "x").new) == 1


def test_a_repeated_event_that_goes_on_is_announced_anew_only_when_it_would_end_soon(neighbourhood, board, give):
    weekly = calendar(event("DTSTART;TZID=Europe/Paris:20251202T190000", "RRULE:FREQ=WEEKLY", "URL:https://exemple.org/bal"))
    assert give(weekly) == (1, 0, 0, 0)
    for days in (7, 120, 120):
        neighbourhood.pass_days(days)
        assert give(weekly) == (0, 0, 0, 1)
    neighbourhood.pass_days(40)
    assert give(weekly) == (0, 1, 0, 0) and give(weekly) == (0, 0, 0, 1)


def test_a_file_that_says_an_event_twice_announces_it_once(give):
    assert give(calendar(event(uid="1"), event(uid="2"))) == (1, 0, 0, 0)


def test_the_same_uid_of_another_source_is_another_event(board, give):
    give(calendar(event(), name="Une source"))
    other = event("SEQUENCE:9", summary="Détourné", start="20251206T190000Z")
    assert give(calendar(other, name="Une autre")) == (1, 0, 0, 0)
    taken = {title: item.origin.name for title, item in items(board).items()}
    assert taken == {"Bal": "Une source", "Détourné": "Une autre"}


def test_events_that_lost_their_notes_are_known_again(neighbourhood, give):
    give(calendar(event()))
    neighbourhood.store.set_note("agendas", None)
    neighbourhood.restart_board()
    board = neighbourhood.board
    assert items(board)["Bal"].origin == Origin("Un agenda", ""), "every island knows it by the record"
    assert taken(board.imports, calendar(event("LOCATION:Là"))) == (0, 1, 0, 0)
    assert items(board)["Bal"].origin and items(board)["Bal"].place == "Là"


def test_what_came_from_one_agenda_is_not_changed_by_another(board, importer, give):
    give(calendar(event("LOCATION:Ici"), name="Une source"))
    shown = importer.look(calendar(event("LOCATION:Là", uid="9"), name="Une autre"), "x")
    assert (shown.size, shown.left_out) == (0, {"known": 1})


def test_a_site_cannot_change_what_another_site_has_told_here(board, importer, give):
    uid = "204@semaphore.exemple.org"
    assert give(calendar(event("SEQUENCE:1", uid=uid)), address="https://semaphore.exemple.org/export.ics") == (1, 0, 0, 0)
    lie = calendar(event("SEQUENCE:9", "STATUS:CANCELLED", uid=uid))
    assert importer.look(lie, "x", "https://ailleurs.exemple.org/a.ics").left_out == {"known": 1}
    assert give(lie, address="https://semaphore.exemple.org/groupe.ics") == (0, 0, 1, 0), "the same site may"


def test_where_events_came_from_outlives_a_restart(neighbourhood, give):
    give(GANCIO.encode())
    neighbourhood.restart_board()
    board = neighbourhood.board
    assert items(board)["Cantine de quartier"].origin == Origin("Le sémaphore", "https://semaphore.exemple.org/")
    assert taken(board.imports, GANCIO.encode()) == (0, 0, 0, 1)


def test_no_more_than_some_are_taken_at_once_and_the_rest_the_next_time(board, give, importer):
    many = calendar(*(event(uid=n, summary=f"Bal {n}") for n in range(MAX_AT_ONCE + 5)))
    assert importer.look(many, "x").left_out == {"later": 5}
    assert give(many)[0] == MAX_AT_ONCE and give(many) == (5, 0, 0, MAX_AT_ONCE)


def test_half_of_the_islands_quota_stays_free_for_its_neighbours(neighbourhood, board, importer):
    half = LIMITS[Category.POSTS].records // 2
    for number in range(half - 3):
        packed = f"Annonce {number}".encode()
        neighbourhood.take(Record(Kind.BULLETIN, HERE.key_id, board.now(), 48, packed=packed), HERE)
    shown = importer.look(calendar(*(event(uid=n, summary=f"Bal {n}") for n in range(5))), "x")
    assert (len(shown.new), shown.left_out) == (3, {"share-used": 2})
    board.post(Draft(Kind.BULLETIN, "Les gens d’ici ont toujours de la place"))


def test_a_full_card_keeps_nothing_and_says_so(neighbourhood, board, importer):
    def full(raws):
        raise StoreFailed("full")

    shown = importer.look(GANCIO.encode(), "x")
    importer._take_in = full
    assert importer.take(shown.id, "lea").problem == "full"
    assert not events(board) and not board.audit_log()


def test_a_file_seen_too_long_ago_must_be_given_again(importer):
    shown = importer.look(GANCIO.encode(), "x")
    for number in range(MAX_HELD):
        importer.look(calendar(event(uid=number)), "x")
    assert importer.take(shown.id, "lea").problem == "stale"


def test_what_is_no_agenda_is_said(importer):
    assert importer.look(b"un texte", "x").problem == "agenda-mark"


def test_what_was_imported_is_seen_in_the_audit_log(board, give):
    give(GANCIO.encode())
    give(GANCIO.encode())
    assert [(entry.keeper, entry.action, entry.about) for entry in board.audit_log()] == [("lea", "import", "Le sémaphore")]


def test_a_long_text_is_cut_to_what_fits_a_record_and_stays_unchanged(board, give):
    hard = "".join(chr(0x4E00 + number * 37 % 20_000) for number in range(990))
    content = calendar(event("DESCRIPTION:" + hard))
    assert give(content) == (1, 0, 0, 0) and give(content) == (0, 0, 0, 1)
    assert items(board)["Bal"].text.endswith("…")


def test_an_agenda_of_an_address_is_fetched_again_only_if_it_may_have_more(board, importer):
    address = "https://exemple.org/a.ics"
    assert importer.tag(address) == ""
    importer.take(importer.look(calendar(event()), "a.ics", address, '"v1"').id, "lea")
    assert importer.tag(address) == '"v1"'
    importer.take(importer.look(calendar(event("RRULE:FREQ=WEEKLY")), "a.ics", address, '"v2"').id, "lea")
    assert importer.tag(address) == ""


def test_our_own_agenda_comes_back_whole_on_another_island(board, portal, settings, tmp_path):
    start = board.now() + 3_000
    drafts = [
        Draft(Kind.EVENT, "Venez !\n\nAvec < une > chaise ; ou deux, \\ ici 🍲.", 1, 4, title="Repas, « partagé »\u00a0!",
              start=start, end=start + 90, place="8, rue du Canal", organiser="AMAP ; du canal",
              link="https://exemple.org/a,b;c", offset=4, position=(48.87, 2.36)),
        Draft(Kind.EVENT, "", 4, 2, title="اجتماع", start=start + 60, end=start + 60, offset=-16),
        Draft(Kind.EVENT, "", 2, 0, title="Alone", start=start + 61, end=start + 100, organiser="Only us", offset=0),
    ]
    for draft in drafts:
        board.post(draft)
    elsewhere = Neighbourhood(tmp_path)
    try:
        importer, content = elsewhere.board.imports, portal.get("/agenda.ics").data
        assert importer.take(importer.look(content, "x").id, "lea").cost.packets
        assert importer.look(content, "x").unchanged == len(drafts)
        taken = items(elsewhere.board)
        for draft in drafts:
            item = taken[draft.title]
            assert {name: getattr(item, name) for name in SAME} == {name: getattr(draft, name) for name in SAME}
            assert item.position == (pytest.approx(draft.position, abs=1e-4) if draft.position else None)
            assert item.origin.name == settings.name
    finally:
        elsewhere.archive.close()
    assert board.imports.look(content, "x").left_out == {"known": len(drafts)}, "it comes home and finds itself"


def test_what_is_known_of_agendas_is_bounded():
    many = {str(n): Known(n.to_bytes(8, "big"), (0, 0), 10 * n) for n in range(MAX_KNOWN + 10)}
    sources = ImportSources().having("a", ImportSource(Origin("A"), known=many), 0)
    assert len(sources.get("a").known) == MAX_KNOWN and "0" not in sources.get("a").known
    other = ImportSource(Origin("B"), known={"x": Known(b"x" * 8, (0, 0), 9**6)})
    sources = sources.having("b", other, KEPT_MIN + 10 * MAX_KNOWN + 99)
    assert not sources.get("a").known and sources.origin_of(b"x" * 8) == Origin("B")


def test_an_island_that_may_not_post_says_so(neighbourhood):
    importer = neighbourhood.board.imports
    neighbourhood.clock.advance(9_000 * 3_600 + 60)
    neighbourhood.replica.handle_all([], neighbourhood.clock.now())
    assert importer.look(calendar(event(start="20270105T190000Z")), "x").problem == "not-admitted"


@pytest.mark.parametrize("unseen", ["\u200b", "\u3164", "\u2800", "\u0301"])
def test_an_event_whose_title_shows_nothing_is_left_out_and_other_fields_that_show_nothing_are_empty(board, give, unseen):
    give(calendar(event(summary=unseen), event(f"LOCATION:{unseen}", f"DESCRIPTION:{unseen}", uid="2", summary="Bal")))
    assert [(item.title, item.place, item.text) for item in events(board)] == [("Bal", "", "")]


@pytest.mark.parametrize("code", ["", "x", "abcd-efgh"])
def test_no_code_withdraws_or_corrects_what_was_taken_over(board, give, code):
    give(calendar(event()))
    item = items(board)["Bal"]
    later = Draft(Kind.EVENT, "", title="Autre", start=item.start, end=item.end)
    for act in (partial(board.withdraw, item.id, code), partial(board.correct, item.id, code, later)):
        with pytest.raises(DraftRefused) as refused:
            act()
        assert [problem.code for problem in refused.value.problems] == ["word-wrong"]
    assert items(board)["Bal"].id == item.id
