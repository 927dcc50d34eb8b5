"""Agendas of other programs: what they say becomes drafts of events, and what is hostile or broken costs only itself."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from node.board.drafts import problems_of, site_of
from node.ical.parser import AHEAD_DAYS, MAX_EVENTS, MAX_FILE_BYTES, MAX_REPEATS, Locality, read
from node.ical.values import EPOCH
from node.ical.vevent import MAX_TEXT
from node.model.errors import RemoteFault
from node.model.event import Exempt, Rhythm, occasions
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
    return left_out_of(calendar(*parts))


def left_out_of(content):
    return dict(read(content, PARIS, NOW).left_out)


def coming(*lines, **fields):
    """The dates of one event that take place, in minutes, those of the next weeks."""
    return dates_in(calendar(event(*lines, **fields)))


def dates_in(content):
    found = (one for draft in drafts(content) for one in occasions(draft.event) if not one.off)
    return sorted(one.start for one in found if one.start < NOW + AHEAD_DAYS * 1440)


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
    ["DTSTART;TZID=Romance Standard Time:20251205T200000"], ["DTSTART;TZID=europe/PARIS:20251205T200000"],
    ["DTSTART;TZID=ROMANCE standard time:20251205T200000"], ['DTSTART;TZID="UTC+01:00":20251205T200000'],
    ['DTSTART;TZID="/mozilla.org/20050126_1/Europe/Paris":20251205T200000'], ["DTSTART;TZID=GMT:20251205T190000"],
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


def test_a_repeated_event_is_one_with_its_rule_and_what_is_exempt_of_it():
    weekly = event("DTSTART;TZID=Europe/Paris:20250107T190000", "DURATION:PT2H", "RRULE:FREQ=WEEKLY;BYDAY=TU",
                   "EXDATE;TZID=Europe/Paris:20251216T190000")
    moved = event("RECURRENCE-ID;TZID=Europe/Paris:20251209T190000", "DTSTART:20251210T180000Z", summary="Bal déplacé")
    agenda = read(calendar(weekly, moved), PARIS, NOW)
    series, apart = agenda.entries
    rule = series.draft.repetition
    assert (rule.rhythm, rule.every, rule.exempt) == (Rhythm.WEEKS, 1, (Exempt(1), Exempt(2)))
    dates = [one.start for one in occasions(series.draft.event) if not one.off]
    assert dates[:3] == [at(12, 2, 18), at(12, 23, 18), at(12, 30, 18)] and len(dates) > 40
    assert (apart.draft.title, apart.draft.start) == ("Bal déplacé", at(12, 10, 18)) and apart.key != series.key
    assert agenda.growing and series.repeated and apart.repeated
    (daily,) = drafts(calendar(event("DTSTART;TZID=Europe/Paris:20251205T190000", "RRULE:FREQ=DAILY")))
    assert daily.repetition.count == 128
    (in_utc,) = drafts(calendar(event("RRULE:FREQ=DAILY")))
    assert in_utc.repetition.count == 114, "until the clocks change here: then it is an hour later"


def test_a_date_that_is_only_moved_stays_with_its_series():
    weekly = event("DTSTART;TZID=Europe/Paris:20251202T190000", "RRULE:FREQ=WEEKLY;COUNT=4")
    moved = event("RECURRENCE-ID;TZID=Europe/Paris:20251209T190000", "DTSTART;TZID=Europe/Paris:20251211T200000")
    cancelled = event("RECURRENCE-ID:20251216T180000Z", "STATUS:CANCELLED")
    (draft,) = drafts(calendar(weekly, moved, cancelled))
    assert draft.repetition.exempt == (Exempt(1, 2 * 1440 + 60), Exempt(2))


@pytest.mark.parametrize("rule", ["FREQ=MONTHLY;BYMONTHDAY=1,9,17,28", "FREQ=DAILY;BYHOUR=9,19", "FREQ=HOURLY"])
def test_dates_that_our_rule_cannot_hold_are_announced_one_by_one_for_some_weeks(rule):
    entries = read(calendar(event(f"RRULE:{rule}", start="20251201T190000Z")), PARIS, NOW).entries
    assert 3 <= len(entries) <= MAX_REPEATS and len({entry.key for entry in entries}) == len(entries)
    assert {entry.series for entry in entries} == {entries[0].series} != {""}
    assert all(entry.draft.start < NOW + 36 * 1440 for entry in entries)


def test_an_occurrence_that_is_moved_keeps_its_name():
    def keys(*more):
        weekly = event("DTSTART;TZID=Europe/Paris:20251202T190000", "RRULE:FREQ=MONTHLY;BYMONTHDAY=2,4,9")
        return sorted(entry.key for entry in read(calendar(weekly, *more), PARIS, NOW).entries)

    moved = event("RECURRENCE-ID:20251209T180000Z", "DTSTART:20251211T180000Z")
    assert len(keys()) > 2 and keys() == keys(moved)


def test_what_is_past_or_too_far_or_lasts_too_long_or_is_private_is_counted_not_read():
    assert left_out(event(start="20251101T190000Z"), event(start="20200101T190000Z", uid="2"),
                    event(start="20280101T190000Z", uid="3"), event("DTEND:20260305T190000Z", uid="4"),
                    event("CLASS:PRIVATE", uid="5"), event("CLASS:confidential", uid="9"),
                    event("RRULE:FREQ=SECONDLY", uid="6"), event(uid="7"),
                    event("DTSTART;TZID=Nulle/Part:20251205T200000", uid="8")) == {
        "past": 2, "too-far": 1, "lasts-too-long": 1, "private": 2, "repeats": 1, "zone": 1}


def test_a_cancelled_event_says_why():
    (entry,) = read(calendar(event("STATUS:CANCELLED", "COMMENT:La salle est prise")), PARIS, NOW).entries
    assert entry.cancelled == "La salle est prise"


def test_the_last_version_in_a_file_counts():
    content = calendar(event("SEQUENCE:2", summary="Bon"), event("SEQUENCE:1", summary="Vieux"))
    assert [draft.title for draft in drafts(content)] == ["Bon"] and left_out_of(content) == {"older": 1}


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
    assert only("DESCRIPTION:1 < 2 & <balise> R&D ; AT&T").text == "1 < 2 & <balise> R&D ; AT&T"


@pytest.mark.parametrize("written", ["F&ecirc\\;te", "F&#234\\;te", "F&#xEA;te", "F&amp;ecirc;te"])
def test_entities_are_letters_in_titles_places_and_texts(written):
    draft = only(f"SUMMARY:{written}", f"LOCATION:{written}", f"DESCRIPTION:{written}")
    assert (draft.title, draft.place, draft.text) == ("Fête",) * 3


def test_a_site_is_named_without_what_may_be_a_secret():
    assert site_of("https://lea:secret@cloud.exemple.org/private/abc?token=1") == "https://cloud.exemple.org/"
    assert site_of("fichier") == ""


@pytest.mark.parametrize("broken", [
    ["BEGIN:VEVENT", "SUMMARY:Sans début", "END:VEVENT"], ["BEGIN:VEVENT"], event("DTSTART:99991399T999999"),
    event("DTSTART:hier"), event("SUMMARY:\u202e"), event("RECURRENCE-ID:2026-12-23"), event("END:"), event("END:VALARM"),
    event("EXDATE:20251205T190000Z,demain", "RRULE:FREQ=DAILY"), event("RDATE:20251205T190000Z/P", "RRULE:FREQ=DAILY"),
    event("RRULE:FREQ=DAILY;UNTIL=2025"), event("RRULE:FREQ=DAILY;FREQ=WEEKLY"), event("DURATION:deux heures"),
    event("DTEND:99991399T999999"), event("BEGIN:VALARM"), event("RRULE:FREQ=WEEKLY;BYDAY=XX"), event("DTSTART:"),
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
    assert agenda.entries or agenda.left_out or name == "folds", "each of the others has events"
    assert all(not problems_of(entry.draft, NOW) for entry in agenda.entries)


def test_a_rule_that_never_ends_gives_no_more_than_any_other():
    for rule in RULES:
        assert len(drafts(calendar(event(f"RRULE:{rule}", "DTSTART:20251201T190000Z")))) <= MAX_REPEATS


# octets


FETE = calendar(event("SUMMARY:Fête à l’été", "LOCATION:Dèvres"))


@pytest.mark.parametrize("content", [
    b"\xef\xbb\xbf" + FETE, FETE.decode().encode("utf-16"), FETE.decode().encode("utf-16-le"),
    FETE.decode().encode("utf-16-be"), b"\xfe\xff" + FETE.decode().encode("utf-16-be"), FETE.decode().encode("cp1252"),
    FETE.replace(b"\r\n", b"\n"), FETE.replace(b"\r\n", b"\r"),
    FETE.replace("Fête".encode(), "F\r\n ête".encode()), FETE.replace("ê".encode(), b"\xc3\r\n \xaa"),
    FETE.replace("ê".encode(), b"\xc3\n\t\xaa"), FETE.replace("ê".encode(), b"\xc3\r\n \xaa").replace(b"\n", b"\r\n"),
    FETE.replace(b"SUMMARY", b"SUMMARY;ENCODING=QUOTED-PRINTABLE").replace(
        "ête à l’été".encode(), b"=C3=AAte =C3=A0 l=E2=80=99=c3=a9t=C3=A9"),
    FETE.replace(b"SUMMARY", b"SUMMARY;CHARSET=ISO-8859-1", 1).decode().encode("cp1252"),
])
def test_letters_are_those_that_were_written_whatever_the_encoding_and_wherever_a_line_is_folded(content):
    (draft,) = drafts(content)
    assert (draft.title, draft.place) == ("Fête à l’été", "Dèvres")


def test_each_line_has_its_own_encoding_where_programs_have_mixed_them():
    latin = event("SUMMARY:Café", uid="2")
    content = calendar(event("SUMMARY:Fête"), latin).replace("é".encode(), b"\xe9")
    assert sorted(draft.title for draft in drafts(content)) == ["Café", "Fête"]
    assert only("SUMMARY;CHARSET=ISO-8859-15:Dix ?").title == "Dix ?"
    assert drafts(calendar(event("SUMMARY;CHARSET=ISO-8859-15:Dix ?")).replace(b"?", b"\xa4"))[0].title == "Dix €"


def test_a_letter_that_was_cut_in_half_costs_that_letter():
    content = calendar(event("SUMMARY:Une très belle fê")).replace("ê\r\n".encode(), b"\xc3\r\n")
    assert drafts(content)[0].title == "Une très belle f"


# what is exempt, and what is said of one date


SERIES = ("DTSTART;TZID=Europe/Paris:20251202T190000", "RRULE:FREQ=WEEKLY;COUNT=3")
SECOND, THIRD = at(12, 9, 18), at(12, 16, 18)


@pytest.mark.parametrize("exempt", [
    "EXDATE;TZID=Europe/Paris:20251209T190000", "EXDATE:20251209T180000Z", "EXDATE:20251209T190000",
    "EXDATE;VALUE=DATE:20251209", "EXDATE;TZID=America/Montreal:20251209T130000", "EXDATE:20251209",
    "EXDATE:19990101,20251209",
    "EXRULE:FREQ=MONTHLY;BYMONTHDAY=9", "EXDATE;TZID=romance STANDARD time:20251209T190000",
])
def test_an_exempt_date_is_left_out_however_it_is_said(exempt):
    assert coming(*SERIES, exempt) == [at(12, 2, 18), THIRD]


@pytest.mark.parametrize("exempt", [
    "EXDATE;VALUE=DATE:20251209", "EXDATE:20251209T000000", "EXDATE;TZID=Europe/Paris:20251209T000000",
    "EXDATE:20251208T230000Z",
])
def test_an_exempt_day_of_a_series_of_whole_days_is_left_out_however_it_is_said(exempt):
    days = coming("DTSTART;VALUE=DATE:20251202", "RRULE:FREQ=WEEKLY;COUNT=3", exempt)
    assert days == [at(12, 1, 23), at(12, 15, 23)]


@pytest.mark.parametrize(("series", "about"), [
    (SERIES, "RECURRENCE-ID;VALUE=DATE:20251209"), (SERIES, "RECURRENCE-ID:20251209T190000"),
    (SERIES, "RECURRENCE-ID:20251209T180000Z"),
    (("DTSTART;VALUE=DATE:20251202", "RRULE:FREQ=WEEKLY;COUNT=3"), "RECURRENCE-ID:20251208T230000Z"),
    (("DTSTART;VALUE=DATE:20251202", "RRULE:FREQ=WEEKLY;COUNT=3"), "RECURRENCE-ID;TZID=Europe/Paris:20251209T000000"),
])
def test_a_date_that_was_moved_is_not_at_both_places_however_it_is_named(series, about):
    found = dates_in(calendar(event(*series), event(about, "DTSTART:20251211T180000Z", "LOCATION:Ailleurs")))
    assert len(found) == 3 and at(12, 11, 18) in found and not {SECOND, at(12, 8, 23)} & set(found)


def test_from_a_date_on_a_series_is_another_one():
    onward = event("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20251209T190000",
                   "DTSTART;TZID=Europe/Paris:20251210T200000", "DURATION:PT3H", "LOCATION:Là-bas")
    agenda = read(calendar(event(*SERIES[:1], "RRULE:FREQ=WEEKLY;COUNT=4"), onward), PARIS, NOW)
    assert [(entry.draft.start, entry.draft.place) for entry in agenda.entries] == [
        (at(12, 2, 18), ""), (at(12, 10, 19), "Là-bas")]
    assert [one.start for one in occasions(agenda.entries[1].draft.event)] == [at(12, day, 19) for day in (10, 17, 24)]
    ended = event("RECURRENCE-ID;RANGE=THISANDFUTURE:20251209T180000Z", "STATUS:CANCELLED", start="20251209T180000Z")
    first, rest = read(calendar(event(*SERIES), ended), PARIS, NOW).entries
    assert (first.draft.start, first.cancelled, rest.draft.start, rest.cancelled) == (at(12, 2, 18), None, SECOND, "")


def test_dates_are_listed_by_moments_days_and_periods():
    assert coming("DTSTART:20251202T190000Z", "RDATE:20251204T190000Z,20251207T120000Z") == [
        at(12, 2, 19), at(12, 4, 19), at(12, 7, 12)]
    assert coming("DTSTART:20251202T190000Z", "RDATE;VALUE=DATE:20251204") == [at(12, 2, 19), at(12, 4, 19)]
    periods = drafts(calendar(event("DTSTART:20251202T190000Z", "DURATION:PT1H",
                                    "RDATE;VALUE=PERIOD:20251204T190000Z/PT3H,20251206T100000Z/20251206T120000Z")))
    assert [(draft.start, draft.end) for draft in periods] == [
        (at(12, 2, 19), at(12, 2, 20)), (at(12, 4, 19), at(12, 4, 22)), (at(12, 6, 10), at(12, 6, 12))]


def test_several_rules_add_up_and_an_empty_one_says_nothing():
    assert coming("DTSTART:20251202T190000Z", "RRULE:FREQ=WEEKLY;COUNT=2", "RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=2") == [
        at(12, 2, 19), at(12, 6, 19), at(12, 9, 19)]
    assert coming("RRULE:") == [at(12, 5, 19)]
    assert coming("DTSTART:20251202T090000Z", "RRULE:FREQ=DAILY;BYHOUR=9,17;COUNT=3") == [
        at(12, 2, 9), at(12, 2, 17), at(12, 3, 9)]


def test_a_weekly_event_that_is_counted_since_long_ago_is_still_announced():
    assert coming("DTSTART;TZID=Europe/Paris:20100105T190000", "RRULE:FREQ=WEEKLY;COUNT=832") == [at(12, 2, 18), SECOND]


def test_the_last_day_of_a_rule_counts_whole():
    for last in ("20251209", "20251209T180000Z", "20251209T190000"):
        assert coming(SERIES[0], f"RRULE:FREQ=WEEKLY;UNTIL={last}") == [at(12, 2, 18), SECOND]
    assert coming("DTSTART;VALUE=DATE:20251202", "RRULE:FREQ=WEEKLY;UNTIL=20251208T230000Z")[-1] == at(12, 8, 23)


def test_events_of_one_uid_that_start_at_different_times_are_events_of_their_own():
    several = event(), event(start="20251206T190000Z"), event(start="20251207T190000Z", summary="Repas")
    agenda = read(calendar(*several), PARIS, NOW)
    assert [entry.draft.title for entry in agenda.entries] == ["Bal", "Bal", "Repas"]
    assert len({entry.key for entry in agenda.entries}) == 3
    moved = read(calendar(event("SEQUENCE:1"), event("SEQUENCE:2", start="20251206T190000Z")), PARIS, NOW)
    assert [entry.draft.start for entry in moved.entries] == [at(12, 6, 19)] and moved.left_out == {"older": 1}


def test_a_calendar_of_cancellations_cancels_and_an_answer_announces_nothing():
    def sent(method):
        return calendar(["METHOD:" + method], event(uid="2")) + calendar(event())

    first, second = sorted(read(sent("CANCEL"), PARIS, NOW).entries, key=lambda entry: entry.cancelled is None)
    assert (first.cancelled, second.cancelled) == ("", None), "each calendar of a file by itself"
    assert left_out_of(sent("REPLY")) == {"answer": 1} and len(drafts(sent("REPLY"))) == 1


def test_a_tentative_event_is_known_as_one():
    (entry,) = read(calendar(event("STATUS:tentative")), PARIS, NOW).entries
    assert entry.tentative and entry.cancelled is None


# zones


def test_times_without_a_zone_are_by_the_clocks_of_their_calendar():
    content = calendar(["X-WR-TIMEZONE:america/montreal"], event(start="20251205T200000"),
                       event("DTSTART;VALUE=DATE:20251206", uid="2")) + calendar(event(start="20251205T200000", uid="3"))
    assert sorted(draft.start for draft in drafts(content)) == [at(12, 5, 19), at(12, 5, 23), at(12, 6, 1)]
    assert left_out(["X-WR-TIMEZONE:Nulle/Part"], event(start="20251205T200000"), event(uid="2")) == {"zone": 1}


@pytest.mark.parametrize(("name", "used"), [
    ("(UTC+01:00) Amsterdam\\, Berlin", '"(UTC+01:00) Amsterdam, Berlin"'), ("Chez nous", "chez NOUS"),
    ("Chez  nous", '"Chez nous"'),
])
def test_a_zone_of_the_file_is_known_by_its_name_however_it_is_written(name, used):
    zone = ZONE.format(name=name).split("\n")
    assert drafts(calendar(zone, event(f"DTSTART;TZID={used}:20251205T200000")))[0].start == at(12, 5, 19)


def test_a_zone_of_the_file_may_begin_on_a_day_and_list_its_changes():
    zone = ["BEGIN:VTIMEZONE", "TZID:Listes", "BEGIN:STANDARD", "DTSTART;VALUE=DATE:19700101", "TZOFFSETFROM:+0100",
            "TZOFFSETTO:-0300", "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:20250330T020000", "RDATE:20260329T020000",
            "TZOFFSETFROM:-0300", "TZOFFSETTO:-0200", "END:DAYLIGHT", "BEGIN:STANDARD", "DTSTART:20251026T030000",
            "TZOFFSETFROM:-0200", "TZOFFSETTO:-0300", "END:STANDARD", "END:VTIMEZONE"]
    winter, summer = drafts(calendar(zone, event("DTSTART;TZID=Listes:20251205T200000"),
                                     event("DTSTART;TZID=Listes:20260405T200000", uid="2")))
    assert (winter.start, winter.offset, summer.offset) == (at(12, 5, 23), -12, -8)


# bounds


def test_the_nearest_events_are_read_where_there_are_too_many():
    over = [event(uid=f"over {n}", start="20251130T190000Z") for n in range(20)]
    far = [event(uid=f"far {n}", start=f"2026{4 + n % 8:02}05T190000Z") for n in range(MAX_EVENTS)]
    near = [event(uid=f"near {n}", start=f"202512{5 + n % 20:02}T190000Z", summary="Proche") for n in range(50)]
    agenda = read(calendar(*over, *far, event("RRULE:FREQ=WEEKLY", uid="weekly"), *near), PARIS, NOW)
    assert [entry.draft.title for entry in agenda.entries].count("Proche") == 50
    assert agenda.left_out == {"too-many": 51, "past": 20} and any(entry.repeated for entry in agenda.entries)


def test_what_is_left_out_is_named_with_its_reason():
    agenda = read(calendar(event("DTSTART:hier", summary="Cassé"), event(uid="2", start="20200101T190000Z"),
                           event("DTSTART;TZID=Nulle/Part:20251205T200000", uid="3", summary="Ailleurs")), PARIS, NOW)
    assert agenda.named == [("broken", "Cassé"), ("zone", "Ailleurs")]


def test_a_mistake_of_ours_costs_one_event(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("node.ical.parser.dates_of", fail)
    agenda = read(calendar(event("RRULE:FREQ=DAILY"), event(uid="2")), PARIS, NOW)
    assert len(agenda.entries) == 1 and agenda.left_out == {"broken": 1}


def test_a_series_with_a_hundred_exempt_dates_leaves_out_them_all():
    exempt = [f"EXDATE:{datetime(2025, 6, 1, 19) + timedelta(n):%Y%m%dT%H%M%SZ}" for n in range(190)]
    assert coming("DTSTART:20250601T190000Z", "RRULE:FREQ=DAILY;COUNT=200", *exempt) == [
        at(12, day, 19) for day in range(8, 18)]
