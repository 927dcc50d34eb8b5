"""Agendas of other programs: what they say becomes drafts of events, and what is hostile or broken costs only itself."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from node.board.drafts import problems_of
from node.ical.parser import MAX_EVENTS, MAX_FILE_BYTES, MAX_REPEATS, Locality, read
from node.ical.vevent import EPOCH, MAX_TEXT, site_of
from node.model.errors import RemoteFault
from tests.ical.agendas import AGENDA_DU_LIBRE, DEMOSPHERE, GANCIO, MOBILIZON, ZONE, calendar, event

PARIS = Locality(ZoneInfo("Europe/Paris"), 1)
UTC_NOW = datetime(2025, 12, 1, 9)
NOW = (UTC_NOW - EPOCH) // timedelta(minutes=1)


def at(*moment):
    return (datetime(2025, *moment) - EPOCH) // timedelta(minutes=1)


def drafts(content, here=PARIS):
    return [entry.draft for entry in read(content, here, NOW).entries]


def only(*lines, **fields):
    (draft,) = drafts(calendar(event(*lines, **fields)))
    return draft


def left_out(*parts):
    return dict(read(calendar(*parts), PARIS, NOW).left_out)


def test_an_agenda_of_gancio_is_read():
    agenda = read(GANCIO.encode(), PARIS, NOW)
    (draft,) = [entry.draft for entry in agenda.entries]
    assert (agenda.name, agenda.site, dict(agenda.left_out)) == ("Le sémaphore", "https://semaphore.exemple.org/", {})
    assert (draft.title, draft.place, draft.topic) == ("Cantine de quartier", "Le Hangar - 4 quai du Port", 4)
    assert (draft.start, draft.end, draft.offset) == (at(12, 6, 11, 30), at(12, 6, 14), 4)
    assert (draft.text, draft.position) == ("[Le Hangar] Venez manger, prix libre.", (48.8801, 2.3702))
    assert draft.link == "https://semaphore.exemple.org/event/cantine-de-quartier"


def test_an_agenda_of_demosphere_is_read_and_its_html_becomes_text():
    (entry,) = read(DEMOSPHERE.encode(), PARIS, NOW).entries
    assert entry.draft.text == "Le centre ferme\xa0!\n\n18h30 : départ\n\n20h : retour" and entry.draft.topic == 1
    assert (entry.draft.start, entry.draft.end) == (at(12, 9, 17, 30),) * 2
    assert entry.version == (3, at(11, 30, 17, 5))


def test_an_agenda_of_mobilizon_is_read_and_says_nothing_twice():
    (draft,) = drafts(MOBILIZON.encode())
    assert (draft.text, draft.link) == ("On répare ensemble.", "https://mobilizon.exemple.org/events/5f0b7a1e")
    assert (draft.organiser, draft.position, draft.topic) == ("Les Voisines", None, 0)


def test_an_agenda_of_agenda_du_libre_is_read_without_anybodys_address():
    (draft,) = drafts(AGENDA_DU_LIBRE.encode())
    assert (draft.title, draft.organiser, draft.topic) == ("Paris: Réunion mensuelle", "Le Club", 2)
    assert draft.text == "Comme chaque mois, ouverte à toutes et tous."
    assert "@" not in only("ORGANIZER;CN=lea@exemple.org:mailto:lea@exemple.org").organiser


@pytest.mark.parametrize("lines", [
    ["DTSTART;TZID=Europe/Paris:20251205T200000"], ["DTSTART:20251205T190000Z"], ["DTSTART:20251205T200000"],
    ["DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Paris:20251205T200000"],
    ["DTSTART;TZID=Romance Standard Time:20251205T200000"], ["DTSTART;TZID=Nulle/Part:20251205T200000"],
])
def test_clocks_of_every_sort_tell_the_same_moment(lines):
    draft = only(*lines)
    assert (draft.start, draft.offset) == (at(12, 5, 19), 4)


def test_a_zone_that_only_the_file_knows_goes_by_its_rules():
    zone = ZONE.format(name="Chez nous").replace("+0200", "-0200").replace("+0100", "-0300").split("\n")
    winter = event("DTSTART;TZID=Chez nous:20251205T200000")
    summer = event("DTSTART;TZID=Chez nous:20260705T200000", uid="2")
    first, second = drafts(calendar(zone, winter, summer))
    assert (first.start, first.offset) == (at(12, 5, 23), -12)
    assert second.offset == -8


def test_a_whole_day_is_one_here_and_lasts_from_midnight_to_midnight():
    day = only("DTSTART;VALUE=DATE:20251205")
    assert (day.start, day.end, day.whole_days) == (at(12, 4, 23), at(12, 5, 23), True)
    three = only("DTSTART;VALUE=DATE:20251205", "DTEND;VALUE=DATE:20251208")
    assert (three.end, three.whole_days) == (at(12, 7, 23), True) and three.event.is_sound()


def test_an_event_lasts_as_its_end_or_its_duration_says():
    assert only("DURATION:PT1H30M").end == at(12, 5, 20, 30)
    assert only("DTEND:20251205T210000Z").end == at(12, 5, 21)
    assert only("DTEND:20251205T180000Z").end == at(12, 5, 19), "it ends before it starts"


def test_a_repeated_event_is_announced_for_the_coming_weeks_only():
    weekly = event("DTSTART;TZID=Europe/Paris:20250107T190000", "DURATION:PT2H", "RRULE:FREQ=WEEKLY;BYDAY=TU",
                   "EXDATE;TZID=Europe/Paris:20251216T190000")
    moved = event("RECURRENCE-ID;TZID=Europe/Paris:20251209T190000", "DTSTART:20251210T180000Z", summary="Bal déplacé")
    agenda = read(calendar(weekly, moved), PARIS, NOW)
    assert [entry.draft.start for entry in agenda.entries] == [
        at(12, 2, 18), at(12, 10, 18), at(12, 23, 18), at(12, 30, 18)]
    assert agenda.entries[1].draft.title == "Bal déplacé" and len({entry.key for entry in agenda.entries}) == 4
    assert agenda.growing and agenda.entries[0].repeated
    assert len(drafts(calendar(event("RRULE:FREQ=DAILY")))) == MAX_REPEATS


def test_an_occurrence_that_is_moved_keeps_its_name():
    def key(*more):
        weekly = event("DTSTART;TZID=Europe/Paris:20251202T190000", "RRULE:FREQ=WEEKLY;UNTIL=20251209T230000Z")
        return sorted(entry.key for entry in read(calendar(weekly, *more), PARIS, NOW).entries)

    moved = event("RECURRENCE-ID:20251209T180000Z", "DTSTART:20251211T180000Z")
    assert len(key()) == 2 and key() == key(moved)


def test_what_is_past_or_too_far_or_lasts_too_long_or_is_private_is_counted_not_read():
    assert left_out(event(start="20251101T190000Z"), event(start="20200101T190000Z", uid="2"),
                    event(start="20280101T190000Z", uid="3"), event("DTEND:20260305T190000Z", uid="4"),
                    event("CLASS:PRIVATE", uid="5"), event("RRULE:FREQ=SECONDLY", uid="6"), event(uid="7")) == {
        "past": 2, "too-far": 1, "lasts-too-long": 1, "private": 1, "repeats": 1}


def test_a_cancelled_event_says_why():
    (entry,) = read(calendar(event("STATUS:CANCELLED", "COMMENT:La salle est prise")), PARIS, NOW).entries
    assert entry.cancelled == "La salle est prise"


def test_the_last_version_in_a_file_counts():
    content = calendar(event("SEQUENCE:2", summary="Bon"), event("SEQUENCE:1", summary="Vieux"))
    assert [draft.title for draft in drafts(content)] == ["Bon"]


def test_people_see_no_override_no_control_and_no_heap_of_marks():
    draft = only("SUMMARY:Bal\u202e\u0007 du\u2066 s" + "\u0301" * 30, "DESCRIPTION:un\\ndeux\0\u202d", "LOCATION:a\\nb")
    assert draft.title.startswith("Bal du ś") and len(draft.title) < 15
    assert (draft.text, draft.place) == ("un\ndeux", "a b")
    assert not problems_of(draft, NOW)


def test_long_fields_are_shortened_between_words_and_odd_links_left_out():
    draft = only("DESCRIPTION:" + "mot " * 3000, "SUMMARY:" + "titre " * 99, "URL:javascript:alert(1)",
                 "GEO:91;400", "CATEGORIES:danger,food")
    assert len(draft.text) <= MAX_TEXT and draft.text.endswith("mot…")
    assert len(draft.title) <= 120 and (draft.link, draft.position, draft.topic) == ("", None, 0)
    assert not problems_of(draft, NOW)


@pytest.mark.parametrize("link", [
    "javascript:alert(1)", "http://archipel.lan/r/1", "http://192.168.4.1/r/1", "http://[fe80::1]/", "http://[",
    "https://a b.org/", "https://exemple.org/" + "x" * 300,
])
def test_a_link_that_leads_nowhere_from_other_islands_is_left_out(link):
    assert only(f"URL:{link}").link == only(f"LINK;VALUE=URI:{link}").link == ""


def test_a_text_that_only_looks_like_markup_stays_as_it_is():
    assert only("DESCRIPTION:1 < 2 & <balise> &eacute\\;").text == "1 < 2 & <balise> &eacute;"


def test_a_site_is_named_without_what_may_be_a_secret():
    assert site_of("https://lea:secret@cloud.exemple.org/private/abc?token=1") == "https://cloud.exemple.org/"
    assert site_of("fichier") == ""


@pytest.mark.parametrize("broken", [
    ["BEGIN:VEVENT", "SUMMARY:Sans début", "END:VEVENT"], ["BEGIN:VEVENT"], event("DTSTART:99991399T999999"),
    event("DTSTART:hier"), event("SUMMARY:\u202e"),
])
def test_a_broken_event_costs_only_itself(broken):
    agenda = read(calendar(broken, event(uid="bon")), PARIS, NOW)
    assert [entry.draft.title for entry in agenda.entries] == ["Bal"] and agenda.left_out.total() == 1


@pytest.mark.parametrize(("content", "reason"), [
    (bytes(MAX_FILE_BYTES + 1), "agenda-size"), (b"\xff\xd8\xff\xe0", "agenda-mark"), (b"", "agenda-mark"),
    (b"<html>BEGIN:VEVENT", "agenda-mark"),
])
def test_what_is_no_agenda_is_refused(content, reason):
    with pytest.raises(RemoteFault) as fault:
        read(content, PARIS, NOW)
    assert fault.value.reason == reason


RULES = ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=0", "FREQ=DAILY;INTERVAL=0", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
         "FREQ=DAILY;BYHOUR=1,2,3;BYSECOND=1,2,3", "FREQ=DAILY;COUNT=999999999", "FREQ=DAILY;INTERVAL=-3", "FREQ=", "x",
         "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=" + ",".join(["MO"] * 5000),
         "FREQ=DAILY;INTERVAL=" + "9" * 40]
HOSTILE = {
    "events in events": b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 140_000,
    "alarms in alarms": calendar(["BEGIN:VEVENT", *["BEGIN:VALARM"] * 100_000]),
    "folds": b"BEGIN:VCALENDAR\n" + b"\n " * 900_000,
    "null bytes": b"\0" * 900_000 + calendar(event()),
    "thousands of properties": calendar(event(*["X-A;B=C:d"] * 50_000), event(*["SUMMARY:a"] * 50_000)),
    "markup": calendar(*(event("DESCRIPTION:" + "<p<a <!-- <![" * 900) for _ in range(40))),
    "zones": calendar(*(ZONE.format(name=n).split("\n") for n in range(4_000)), event("DTSTART;TZID=7:20251205T200000")),
    "rules": calendar(*(event(f"RRULE:{rule}", "DTSTART:00010101T000000") for rule in RULES * 9)),
    "counts": calendar(*(event("RRULE:FREQ=DAILY;COUNT=3000;BYDAY=MO", "DTSTART:20180101T190000Z") for _ in range(100))),
    "more events than are read": calendar(*(event(uid=n) for n in range(MAX_EVENTS + 100))),
    "overflows": calendar(event("DURATION:P99999999999D"), event("SEQUENCE:" + "9" * 5_000),
                          event("DTSTART:00000000T000000Z")),
    "zone names": calendar(*(event(f"DTSTART;TZID={name}:20251205T200000")
                             for name in ("../../etc/passwd", "Europe", "/", "%s" * 99))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_holds_nothing_up(name):
    agenda = read(HOSTILE[name][:MAX_FILE_BYTES], PARIS, NOW)  # an endless rule would never come back
    assert all(not problems_of(entry.draft, NOW) for entry in agenda.entries)


def test_a_rule_that_never_ends_gives_as_many_days_as_any_other():
    for rule in RULES:
        assert len(drafts(calendar(event(f"RRULE:{rule}", "DTSTART:20251201T190000Z")))) <= MAX_REPEATS
