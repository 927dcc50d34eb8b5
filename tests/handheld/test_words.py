"""Words are understood in four languages, without accents or capitals, and with a slip; what may be two is not guessed."""

import unicodedata
from datetime import date

import pytest

from node.handheld.commands import asked, bare, counted
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


NUMBERS = ("2", " 2. ", "(2)", "2!", "-2", "#2", "n° 2", "n°2", "no 2", "Nr. 2", "N.2", "numéro 2", "number 2",
           "رقم ٢", "٢", "۲", "２", "2️⃣", "\u200f٢\u200f", "\u202a2\u202c", "\u00a02\u202f", "2\ufeff", "002", "le 2",
           "the 2", "2 svp", "lis 2", "read 2 please", "ver 2", "اقرأ ٢", "2 👍", "2+")


def test_a_number_is_read_however_it_is_typed_and_in_whatever_digits():
    assert [typed for typed in NUMBERS if asked(typed, "fr", WORD, TODAY).number != 2] == []
    assert [typed for typed in NUMBERS if asked(typed, "fr", WORD, TODAY).verb is not None] == []


def test_figures_that_something_parts_are_never_read_as_one_number():
    parting = [chr(code) for code in range(0x20, 0x3000) if not chr(code).isalnum() and not chr(code).isspace()]
    tried = 0
    for between in (*parting, " ", "  ", "\n", " / ", ", ", " et ", " - ", "h"):
        if unicodedata.category(between[0]) in ("Cf", "Mn", "Me", "Mc"):  # nobody sees these, or they belong to the figure
            continue
        for typed in (f"2{between}1", f"21{between}3", f"agenda 21{between}3", f"news 21{between}3", f"a21{between}3"):
            number = asked(typed, "fr", WORD, TODAY).number
            assert number is None, (typed, number)
            tried += 1
    assert tried > 5_000


DATES = ("21/3", "21/03", "21-3", "21.3", "21.3.", "21 / 3", "21/ 3", "21 /3", "21⁄3", "21／3", "21–3", "21−3",
         "٢١/٣", "۲۱/۳", "２１/３", "\u200f٢١/٣", "٢١\u200f/\u200f٣", "21/3/27", "21/3/2027", "21.3.2027", "2027-03-21",
         "2027/3/21", "21/3 ?", "(21/3)", "21/3/", "le 21/3", "le 21/3 svp", "dimanche 21/3", "dim. 21/3", "يوم ٢١/٣",
         "21 mars", "21mars", "mars21", "21 mars 2027", "dimanche 21 mars 2027", "march 21st", "21st of march",
         "el 21 de marzo de 2027", "٢١ مارس", "3/21", "agenda 21/3", "agenda21/3", "Agenda : 21 / 3", "agenda le 21/3",
         "a 21/3", "a21/3", "مواعيد ٢١/٣")


def test_a_day_is_read_however_its_figures_are_parted():
    spring = date(2027, 3, 21)
    wrong = [typed for typed in DATES if asked(typed, "fr", WORD, TODAY).days != (spring, spring)]
    assert wrong == []


@pytest.mark.parametrize("typed", [
    "32/1", "0/0", "45/12", "30/2", "1-5/12", "21/3/1", "21/3/126", "31/12/9999", "1/1/0001", "0000-00-00", "20.30",
    "21/3/27/1", "21/3 22/3", "12,5", "20:30", "20h30", "1 2", "2 et 3", "2026", "agenda 32/1", "agenda 20h", "9" * 200,
    "1/" * 100])
def test_what_is_neither_a_number_nor_a_day_is_not_guessed(typed):
    what = asked(typed, "fr", WORD, TODAY)
    assert (what.verb, what.number, what.days) == (None, None, None)


@pytest.mark.parametrize(("typed", "verb"), [
    ("\u200f?", Verb.HELP), ("\u200e؟\u200e", Verb.HELP), ("？", Verb.HELP), ("❓", Verb.HELP), ("\u200f", Verb.HELP),
    ("+\u200f", Verb.MORE), ("++", Verb.MORE), ("＋", Verb.MORE), ("(2/3) +", Verb.MORE), ("(٢/٣)", Verb.MORE),
    ("+33612345678", None), ("e\u0301tat", Verb.STATUS), ("أَخْبَار", Verb.NEWS), ("re\u0301ponds oui", Verb.REPLY),
    ("/agenda", Verb.AGENDA), ("agenda2", Verb.AGENDA), ("news-2", Verb.NEWS), ("n 2", Verb.NEWS), ("n2", Verb.NEWS),
    ("demain svp", Verb.AGENDA), ("demain soir ?", Verb.AGENDA), ("today 2", Verb.AGENDA), ("week end", Verb.AGENDA),
    ("a cat is lost", None), ("demain je ne suis pas là", None),
])
def test_marks_that_nobody_sees_and_words_that_lean_on_each_other_change_nothing(typed, verb):
    assert asked(typed, "fr", WORD, TODAY).verb is verb


def test_a_number_that_leans_on_its_word_is_not_lost():
    leaning = ("n2", "n 2", "a٢", "agenda2", "news-2", "nouvelles n° 2")
    assert [asked(typed, "fr", WORD, TODAY).number for typed in leaning] == [2] * 6
    assert asked("publie2 kg de riz", "fr", WORD, TODAY).rest == "2 kg de riz"


@pytest.mark.parametrize(("rest", "number", "text"), [
    ("2 oui", 2, "oui"), ("2: oui", 2, "oui"), ("2:oui", 2, "oui"), ("٢ نعم", 2, "نعم"), ("\u200f٢ نعم", 2, "نعم"),
    ("2 20 h ?", 2, "20 h ?"), ("2) 3 kg", 2, "3 kg")])
def test_a_reply_may_begin_with_the_number_of_what_it_is_to(rest, number, text):
    assert counted(rest) == (number, text)


@pytest.mark.parametrize("rest", ["8:30 devant", "3.5 kg", "21/3 me va", "20h ok", "2", "1,5 l", "+33 6 12"])
def test_but_a_time_or_a_measure_is_part_of_it(rest):
    assert counted(rest) is None


def test_only_what_is_around_a_message_is_taken_off():
    family = "👨\u200d👩\u200d👧 \u200fنعم"
    assert bare(f" \u200f{family}\u200f\n") == family


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
    assert days_meant("15/12", date(2027, 1, 5), WORD, "fr")[0] == date(2026, 12, 15), "over the new year, too"
    assert days_meant("29/2", date(2027, 11, 30), WORD, "fr")[0] == date(2028, 2, 29)


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
