"""The week in one text: never longer than was asked for, what is left out counted, and how many messages a text takes."""

import re
from zoneinfo import ZoneInfo

import pytest

from node.board.api import Draft
from node.board.digest import MOST_SIGNS, Digest, DigestForm, DigestSize
from node.board.spoken import SpokenAgenda
from node.board.text_messages import is_narrow, messages, narrowed
from node.i18n.catalogue import TAGS
from node.i18n.moments import Dates
from node.model.marks import Marks
from node.model.record import Kind

DAY_MIN = 1_440
ADDRESS = "http://archipel.lan/"


def told(place, form="mail", parts=1, tag="en"):
    agenda = SpokenAgenda(place.board, ZoneInfo("Europe/Paris"), Dates(tag))
    return Digest(agenda, "Île du canal", ADDRESS).text(DigestSize(DigestForm(form), parts))


def fill(place, events=12, bulletins=6):
    for number in range(events):
        place.event((f"Soupe e{number}e", "Salle des fêtes", "", "Venez nombreux. " * 6, ""),
                    place.board.now() + 60 + number * 6 * DAY_MIN // events)
    for number in range(bulletins):
        place.bulletin(f"Annonce b{number}b\nUne perceuse.", urgent=number == 3)


@pytest.mark.parametrize("text,count", [
    ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
    ("a" * 152 + "€" + "a" * 152, 3),  # an escape is not torn from its sign, so each of the first two has a place left over
    ("م" * 70, 1), ("م" * 71, 2), ("م" * 134, 2), ("م" * 135, 3), ("a" * 70 + "ê", 2), ("😀" * 35, 1), ("😀" * 67, 3)])
def test_a_text_takes_as_many_messages_as_a_telephone_says(text, count):
    assert messages(text) == count


def test_accents_quotes_and_emoji_do_not_halve_what_fits_and_another_script_stays():
    assert narrowed("L’hôpital « fête » cœur 😀👍🏽 é") == 'L\'hopital " fete " coeur  é'
    assert narrowed("اجتماع") == "اجتماع" and not is_narrow("اجتماع")


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("form,parts", [("sms", 1), ("sms", 2), ("sms", 5), ("sms", 10), ("short", 1), ("mail", 1),
                                        ("aloud", 1)])
def test_it_is_never_longer_than_asked_and_what_is_left_out_is_counted_with_the_address(neighbourhood, form, parts, tag):
    fill(neighbourhood, 60, 40)
    text = told(neighbourhood, form, parts, tag)
    assert messages(text) <= parts if form == "sms" else len(text) <= MOST_SIGNS[form]
    shown = len(set(re.findall(r"[eb]\d+[eb]", text)))
    assert form == "aloud" or text.strip().endswith(ADDRESS)
    if shown < 100 and tag == "en":
        assert f"{100 - shown} more" in text
    assert shown > (2 if form == "sms" and parts < 3 else 5) or (form, tag) == ("sms", "ar")
    assert text == told(neighbourhood, form, parts, tag)


def test_all_of_a_small_week_is_there_with_what_is_urgent_first(neighbourhood):
    fill(neighbourhood)
    for form, parts in (("mail", 1), ("short", 1), ("aloud", 1), ("sms", 10)):
        text = told(neighbourhood, form, parts)
        found = re.findall(r"[eb]\d+[eb]", text)
        assert found[0] == "b3b" and len(set(found)) == len(found) == 18 and "more" not in text
    assert "Venez nombreux. Venez" in told(neighbourhood) and "- 10:00" not in told(neighbourhood, "aloud")


def test_a_day_is_named_once_for_all_that_happens_on_it(neighbourhood):
    fill(neighbourhood)
    for form in ("mail", "short", "sms"):
        lines = [line.rstrip(":") for line in told(neighbourhood, form, 10).splitlines() if line.strip()]
        days = [line for line in lines if re.fullmatch(r"\w+,? .*\d.*", line) and not re.search(r"[eb]\d+[eb]", line)]
        assert len(days) >= 5 and len(set(days)) == len(days), form


def test_one_post_in_another_script_takes_no_room_from_ten_others(neighbourhood):
    neighbourhood.event(("اجتماع الجيران", "", "", "", ""), neighbourhood.board.now() + 30)
    fill(neighbourhood, 12, 0)
    text = told(neighbourhood, "sms", 2, "fr")
    assert is_narrow(text) and len(re.findall(r"e\d+e", text)) > 5
    assert "اجتماع الجيران" in told(neighbourhood, "sms", 10, "fr")


def test_what_is_over_next_week_cancelled_or_nothing_is_told_so(neighbourhood, board):
    assert "Nothing is announced" in told(neighbourhood, "sms") and ADDRESS in told(neighbourhood, "sms")
    neighbourhood.event(("Hier", ""), board.now() - DAY_MIN)
    neighbourhood.event(("Dans huit jours", ""), board.now() + 8 * DAY_MIN)
    assert "Hier" not in told(neighbourhood) and "Dans huit" not in told(neighbourhood)


@pytest.mark.parametrize("form", ["sms", "short", "mail", "aloud"])
def test_what_is_urgent_says_whether_other_islands_confirm_it_and_what_is_met_is_not_asked_for(neighbourhood, form):
    neighbourhood.bulletin("Fuite de gaz", urgent=True)
    need = neighbourhood.board.post(Draft(Kind.BULLETIN, "Cherche une remorque", marks=Marks.NEED))
    before = told(neighbourhood, form)
    assert "remorque" in before and re.search(r"Fuite de gaz\W+Not confirmed yet", before)
    neighbourhood.board.withdraw(need.id, need.edit_code, "")
    assert "remorque" not in told(neighbourhood, form)


@pytest.mark.parametrize("form", ["sms", "short", "mail", "aloud"])
def test_an_event_that_is_called_off_says_so_before_its_name(neighbourhood, form):
    start = neighbourhood.board.now() + 120
    off = neighbourhood.board.post(Draft(Kind.EVENT, title="Repas", start=start, end=start + 60))
    neighbourhood.board.withdraw(off.id, off.edit_code, "pluie")
    assert re.search(r"Cancelled\W+Repas", told(neighbourhood, form))
