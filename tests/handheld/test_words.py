"""Words are understood in four languages, without accents or capitals, and with a slip; what may be two is not guessed."""

from datetime import date

import pytest

from node.handheld.commands import asked
from node.handheld.days import DAYS, day_shown, days_meant
from node.handheld.wording import MENU, SCREEN_CHARS
from node.handheld.words import TAGS, WANTS, WORDS, Verb, Vocabulary, language_named, one_slip_apart, own_words, plain

TODAY = date(2026, 11, 30)  # a Monday
WORD = Vocabulary()


def meant(text, tag="fr", words=WORD):
    what = asked(text, tag, words, TODAY)
    return what.verb or (what.number if what.number is not None else None)


def test_every_word_means_what_it_stands_for_in_its_own_language_and_one_thing_only():
    tried = 0
    for tag in TAGS:
        for verb, words in WORDS[tag].items():
            for word in words:
                found = WORD.exactly(word, tag)
                assert found and found[0] is verb, (tag, word)
                tried += 1
    assert tried > 100


def test_no_word_means_two_things_in_two_languages():
    means = {}
    for rows in WORDS.values():
        for verb, words in rows.items():
            for word in words:
                means.setdefault(plain(word), set()).add(verb)
    assert not {word: verbs for word, verbs in means.items() if len(verbs) > 1}


@pytest.mark.parametrize(("typed", "verb"), [
    ("?", Verb.HELP), ("  ", Verb.HELP), ("؟", Verb.HELP), ("¿?", Verb.HELP), ("Bonjour !", Verb.HELP),
    ("+", Verb.MORE), ("AGENDA", Verb.AGENDA), ("agneda", Verb.AGENDA), ("l'agenda", Verb.AGENDA),
    ("l’agenda svp", Verb.AGENDA), ("agend", Verb.AGENDA), ("demian", Verb.AGENDA), ("Nouveles", Verb.NEWS),
    ("les nouvelles ?", Verb.NEWS), ("nuevas", None), ("notisias", Verb.NEWS), ("اخبار", Verb.NEWS),
    ("الاخبار", Verb.NEWS), ("recherche: soupe", Verb.SEARCH), ("publié", Verb.POST), ("annulé", Verb.CANCEL),
    ("etat", Verb.STATUS), ("English", Verb.LANGUAGE), ("espanol", Verb.LANGUAGE), ("merci", Verb.THANKS),
    ("a", Verb.AGENDA), ("n", Verb.NEWS), ("3", 3), (" 3. ", 3), ("n°3", 3), ("#3", 3), ("٣", 3), ("👍", None),
    ("pos", None), ("blabla", None), ("la semaine des quatre jeudis commence", None),
    ("news of my cat who is lost since", None),
])
def test_what_is_typed_is_what_is_meant(typed, verb):
    assert meant(typed) == verb


def test_what_is_posted_begins_where_it_was_typed():
    assert asked("Publie:  L'Été   arrive !", "fr", WORD, TODAY).rest == "L'Été   arrive !"
    assert asked("post\nMilk\nwanted", "en", WORD, TODAY).rest == "Milk\nwanted"


@pytest.mark.parametrize(("typed", "first", "last"), [
    ("aujourd'hui", 0, 0), ("today", 0, 0), ("hoy", 0, 0), ("اليوم", 0, 0), ("demain", 1, 1), ("apres-demain", 2, 2),
    ("pasado mañana", 2, 2), ("lundi", 0, 0), ("mar", 1, 1), ("wednesday", 2, 2), ("jeudii", 3, 3), ("viernes", 4, 4),
    ("السبت", 5, 5), ("dom", 6, 6), ("week-end", 5, 6), ("fin de semana", 5, 6), ("semaine", 0, 6),
    ("الأسبوع", 0, 6), ("5/12", 5, 5), ("05.12.2026", 5, 5), ("2026-12-05", 5, 5), ("٥/١٢", 5, 5), ("samedi 5/12", 5, 5),
    ("le 5 décembre", 5, 5),
    ("december 5th", 5, 5), ("5 ديسمبر", 5, 5), ("1er decembre", 1, 1),
])
def test_days_are_understood(typed, first, last):
    days = days_meant(typed, TODAY, WORD, "fr")
    assert days is not None, typed
    assert tuple((day - TODAY).days for day in days) == (first, last)


@pytest.mark.parametrize("typed", ["30/2", "45/12", "32 mai", "lundi mardi", "j", "2027-13-40", "12/", "", "à 12 h"])
def test_what_is_no_day_is_none(typed):
    assert days_meant(typed, TODAY, WORD, "fr") is None


def test_a_date_without_a_year_is_the_next_one():
    assert days_meant("3/1", TODAY, WORD, "fr")[0] == date(2027, 1, 3)
    assert days_meant("15/11", TODAY, WORD, "fr")[0] == date(2026, 11, 15), "somebody looks back"


def test_each_language_has_its_days_and_shows_them_short():
    assert {len(row) for row in DAYS.values()} == {7}
    assert [day_shown(TODAY, tag) for tag in TAGS] == ["lun 30/11", "mon 30/11", "lun 30/11", "الاثنين 30/11"]


def test_one_slip_is_one_letter_more_less_other_or_out_of_turn():
    assert all(one_slip_apart("agenda", other) for other in ("agnda", "agendaa", "agemda", "agedna", "gaenda", "agenda"))
    assert not any(one_slip_apart("agenda", other) for other in ("agd", "adgnea", "ganeda", "agendaaa", "legenda"))


def test_keepers_have_words_of_their_own_and_ours_are_understood_all_the_same():
    words = Vocabulary(own_words("agenda = sorties؛ news = quoi ;"))
    assert words.shown("fr", Verb.AGENDA) == words.shown("en", Verb.AGENDA) == "sorties"
    assert words.shown("en", Verb.NEWS) == "quoi" and words.shown("fr", Verb.NEWS) == "nouvelles"
    assert [meant(text, words=words) for text in ("quoi", "quoii", "nouvelles", "sorties")] == [
        Verb.NEWS, Verb.NEWS, Verb.NEWS, Verb.AGENDA]


@pytest.mark.parametrize("wrong", ["agenda", "= x", "agenda =", "blabla = x", "agenda = deux mots", "agenda = " + "x" * 13,
                                   "agenda = nouvelles", "agenda = !"])
def test_words_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValueError):
        own_words(wrong)


def test_languages_are_known_by_their_names_in_all_of_them():
    names = ("fr", "Français", "anglais", "INGLÉS", "arabe", "العربية", "castillan", "xx")
    assert [language_named(name) for name in names] == ["fr", "fr", "en", "en", "ar", "ar", "", ""]


def test_every_entry_of_the_menu_fits_a_line_of_the_smallest_screen():
    entries = [f"1 {Vocabulary().shown(tag, verb)} {WANTS[tag].get(verb, '')}".rstrip() for tag in TAGS for verb in MENU]
    assert len(entries) == 24 and max(map(len, entries)) <= SCREEN_CHARS
