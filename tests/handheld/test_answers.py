"""A radio in the hand reads and posts by text: one short answer a question, by the island's rules; nothing is kept."""

import re
from dataclasses import replace

import pytest

from node.board.api import Draft
from node.board.pace import Visitor
from node.handheld.authoring import tag_of_root
from node.handheld.talks import MAX_TALKS, ONE_AT_ONCE, REMEMBERED_S, WAITS_AT_ONCE
from node.handheld.turn import MARK, Question
from node.handheld.wording import KeepersWords
from node.handheld.words import TAGS, Vocabulary, own_words
from node.model.event import Repetition, Rhythm
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right
from tests.handheld.tasks import CAT, MEETING, MOST_BYTES, SOUP, WORDS, Radio, furnish, octets
from tests.sim.places import ELSEWHERE, Place, event

BEATEN_BYTES = 300  # for one bulletin, with two messages sent


@pytest.fixture
def radio(place):
    return Radio(furnish(place))


def bulletins(place):
    return [item.text for item in place.board.bulletins().items]


@pytest.mark.parametrize("tag", TAGS)
def test_every_task_is_one_answer_a_message_in_every_language(place, tag):
    told, radio = octets(furnish(place, tag), tag)
    assert len(told) == len(WORDS) >= 12
    for task, (sent, _, back) in told.items():
        assert sent <= 2 and 0 < back <= sent * MOST_BYTES, task
    assert radio.answerer.counters["asked"] == radio.answerer.counters["answered"]
    assert told["one bulletin"][0] == 2 and told["one bulletin"][2] < BEATEN_BYTES
    assert told["post"][0] == 1 and told["cancel"][0] == 1


@pytest.mark.parametrize("tag", TAGS)
def test_what_is_read_is_what_is_there_in_every_language(place, tag):
    radio = Radio(furnish(place, tag), "fr")
    for task in ("agenda", "today", "tomorrow", "a day", "this week"):
        assert MEETING[tag].split()[0] in radio.text(WORDS[task][tag][0]), task
    listed, read = (radio.text(text) for text in WORDS["one bulletin"][tag])
    assert SOUP[tag][:8] in listed and SOUP[tag] in read
    found, read = (radio.text(text) for text in WORDS["search"][tag])
    assert SOUP[tag][:8] in found and SOUP[tag] in read


def test_any_bulletin_that_fits_a_message_is_read_in_less_than_300_octets(place):
    radio = Radio(furnish(place))
    for text in ("x" * 218, "é" * 109, "👍" * 54, "م" * 109, "court"):
        place.clock.advance(60)
        place.board.post(Draft(Kind.BULLETIN, text))
        assert sum(len(radio.text(asked).encode()) for asked in ("nouvelles", "1")) < BEATEN_BYTES
        assert text in radio.answers[-1]


def test_a_menu_fits_the_smallest_screen_and_its_numbers_can_be_sent(place):
    for tag in TAGS:
        radio = Radio(furnish(place, tag) if tag == "fr" else place, tag)
        lines = radio.text("?")[1:].split("\n")
        assert len(lines) <= 7 and max(map(len, lines)) <= 21
        assert radio.text("2") == radio.text({"fr": "nouvelles", "en": "news", "es": "noticias", "ar": "أخبار"}[tag])
        assert radio.text("?") and radio.text("6").count("\n") == 3


def test_a_long_text_comes_part_by_part_and_never_unasked(radio):
    said = [radio.text("nouvelles 1")]
    while "+" in said[-1][-2:]:
        said.append(radio.text("+"))
    parts = [part[1:part.rindex(" (")] for part in said]
    assert " ".join(parts).startswith((CAT["fr"] * 12).strip()) and len(parts) == 2
    assert radio.text("suite") == ">C'est tout."


def test_after_a_short_item_the_list_that_it_came_from_goes_on(place):
    for number in range(8):
        place.board.post(Draft(Kind.BULLETIN, f"Annonce numéro {number}"))
        place.clock.advance(60)
    radio = Radio(place)
    first = radio.text("nouvelles")
    assert first.endswith("+") and "numéro 5" in radio.text("3")
    assert radio.text("+").startswith(">4 ")
    assert "numéro 4" in radio.text("4"), "numbers go on from page to page"


def test_an_event_says_when_where_and_whether_it_is_cancelled(place):
    posted = place.board.post(event(place, text="Venez !"))
    radio = Radio(place)
    assert radio.text("agenda") == ">1 lun 1/12 11:00 Fête"
    assert radio.text("1").startswith(">Fête\nlun 1/12 11:00-13:00\nParc\nNous\nVenez !\nhttps://exemple.org/")
    place.board.withdraw(posted.id, posted.edit_code, "Pluie")
    assert "X Fête" in radio.text("agenda") and radio.text("1").startswith(">ANNULÉ: Pluie\nFête")


def test_what_lasts_all_day_or_for_days_says_so_and_a_repeated_event_stands_under_each_date(place):
    midnight = place.minute // 1440 * 1440 + 1440 - 60
    board, radio = place.board, Radio(place)
    board.post(Draft(Kind.EVENT, title="Foire", start=midnight, end=midnight + 1440, offset=4, whole_days=True))
    board.post(Draft(Kind.EVENT, title="Salon", start=midnight + 600, end=midnight + 3 * 1440, offset=4))
    board.post(Draft(Kind.EVENT, title="Cours", start=midnight + 700, offset=4, repetition=Repetition(Rhythm.DAYS, 1, 3)))
    listed = radio.text("agenda")
    assert listed.count("Cours") == 3 and re.search(r"\d Foire|/\d+ Foire", listed)
    found = [item for item in board.events(midnight, midnight + 1440) if item.title != "Cours"]
    said = [radio.text("1"), radio.text("agenda") and radio.text("2")]
    assert len(found) == 2 and " > " in "".join(said) and not re.search(r"Foire\n[^\n]*:", said[0])


def test_urgent_calls_come_first_and_say_whether_other_islands_confirm_them(place):
    place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, urgent=True, packed=b"Coupure d'eau"), ELSEWHERE)
    furnish(place)
    radio, item = Radio(place), place.board.urgent()[0]
    assert radio.text("nouvelles").startswith(">1 !?Coupure d'eau")
    assert radio.text("1").startswith(">PAS CONFIRMÉ\nCoupure d'eau")
    assert radio.answerer.announcement(item).startswith(">URGENT: PAS CONFIRMÉ Coupure d'eau")
    for key, name in ((SigningKey(bytes([5]) * 32), "Gare"), (SigningKey(bytes([6]) * 32), "Port")):
        place.let_in(key, Right.WRITE, name)
        place.confirm(key, item.id)
    assert radio.text("nouvelles").startswith(">1 !Coupure d'eau")
    assert radio.text("1").startswith(">Confirmé par 2 îles\nCoupure d'eau")


def test_replies_are_read_below_their_post(radio):
    radio.text("nouvelles 2")
    assert radio.text("réponds J'apporte le pain").startswith('>Réponse à "Soupe ce soir à 19 h')
    assert "@ J'apporte le pain\n- Café 1/12, par radio" in radio.text("nouvelles 2")


def test_a_reply_is_to_what_was_read_or_to_a_number_of_the_list(radio):
    radio.text("nouvelles")
    assert "Soupe" in radio.text("réponds 2 J'en serai")
    radio.text("nouvelles 2")
    radio.text("réponds 2 personnes de plus")
    soup = radio.place.board.bulletins().items[1]
    assert [one.text for one in radio.place.board.item(soup.id).replies] == ["J'en serai", "2 personnes de plus"]
    assert radio.another(b"two").text("réponds bonjour") == ">Lisez d'abord un message, puis envoyez : réponds TEXTE"


# posting


def test_a_post_is_one_message_and_says_how_it_came(radio):
    answer = radio.text("Publie Lait en poudre demandé 🍼")
    assert answer.startswith(">Publié. Pour le retirer : annule ")
    item = radio.place.board.bulletins().items[0]
    assert item.text == "Lait en poudre demandé 🍼" and item.by_radio and item.language == 1 and item.author.here
    assert "par radio" in radio.text("nouvelles 1")


def code_in(answer):
    return answer.partition("annule ")[2]


def test_its_author_takes_it_back_by_its_code_from_any_radio_and_at_any_time(radio):
    code = code_in(radio.text("publie Lait demandé"))
    radio.now += 2 * REMEMBERED_S
    assert "Send" not in radio.text("annule") and "Lait demandé" in bulletins(radio.place)
    assert radio.another(b"two").text(f"annulé {code.upper().replace('-', ' ')}") == ">C'est retiré."
    assert "Lait demandé" not in bulletins(radio.place)
    assert radio.text(f"annule {code}") == ">Aucun message n'a ce code. Vérifiez chaque lettre."


def test_its_code_is_good_on_the_pages_too(radio):
    tag, code = code_in(radio.text("publie Lait demandé")).split()
    item = radio.place.board.bulletins().items[0]
    assert tag == tag_of_root(bytes.fromhex(item.id))
    radio.place.board.withdraw(item.id, code)
    assert "Lait demandé" not in bulletins(radio.place)


def test_without_its_code_the_same_radio_takes_it_back_as_long_as_it_is_remembered(radio):
    radio.text("publie Lait demandé")
    assert radio.another(b"two").text("annule").startswith(">Envoyez : annule CODE")
    assert radio.text("annule") == ">C'est retiré." and "Lait demandé" not in bulletins(radio.place)


def test_who_may_write_in_anybody_s_name_takes_nothing_back_without_the_code(radio):
    radio.text("publie Lait demandé")
    radio.private = False
    assert radio.text("annule").startswith(">Envoyez : annule CODE")
    radio.text("publie Pain demandé")
    radio.private = True
    assert radio.text("annule").startswith(">Envoyez : annule CODE")
    assert {"Lait demandé", "Pain demandé"} <= set(bulletins(radio.place))


def test_a_message_that_came_twice_is_posted_once(radio):
    first = radio.text("publie Lait demandé")
    assert radio.text("publie Lait demandé") == first
    assert bulletins(radio.place).count("Lait demandé") == 1


def test_what_a_keeper_must_read_first_waits_and_can_be_taken_back(place):
    place.board.set_posting("moderated", "lea")
    radio = Radio(furnish(place))
    answer = radio.text("publie Lait demandé")
    assert answer.startswith(">L'équipe le lit d'abord. Pour le retirer : annule ")
    waiting = place.board.notes.state.waiting
    assert [post.record.by_radio for post in waiting.values()][-1:] == [True]
    before = len(waiting)
    assert radio.another(b"two").text(f"annule {code_in(answer)}") == ">C'est retiré."
    assert len(place.board.notes.state.waiting) == before - 1


def test_where_only_groups_post_it_says_so(place):
    place.board.set_posting("members", "lea")
    assert Radio(place).text("publie Lait") == ">Sur cette île, seuls les groupes publient, sur ses pages."
    assert bulletins(place) == []


def test_a_radio_is_rationed_like_any_other_visitor(radio):
    answers = [radio.text(f"publie Annonce {number}", 40.0) for number in range(10)]
    assert [answer.startswith(">Publié") for answer in answers] == [True] * 8 + [False] * 2
    assert "minute" in answers[-1] and radio.another(b"two").text("publie Une autre").startswith(">Publié")


def test_the_room_for_visitors_is_the_same_by_radio(place):
    for number in range(60):
        place.board.post(Draft(Kind.BULLETIN, f"page {number}"), visitor=Visitor(b"%d" % number, b"-"))
    assert Radio(place).text("publie Lait").startswith(">L'équipe le lit d'abord"), "beyond the common pace it waits"


def test_codes_are_not_guessed(radio):
    radio.text("publie Lait demandé")
    tag = tag_of_root(bytes.fromhex(radio.place.board.bulletins().items[0].id))
    answers = [radio.text(f"annule {tag} aaaa-aaa{letter}") for letter in "abcdefg"]
    assert [answer.startswith(">Aucun message") for answer in answers] == [True] * 4 + [False] * 3
    assert answers[-1] == ">Trop de codes faux. Attendez une heure."
    others = [radio.another(b"%d" % number).text(f"annule {tag} bbbb-bbbb") for number in range(12)]
    assert sum(answer.startswith(">Aucun message") for answer in others) <= 7, "all together are bounded too"


# what is no question


NO_QUESTIONS = [
    "👍", "👩‍👩‍👧‍👦" * 8, "…", "\x00\x01\x02", "\ufffd\ufffd", "z" * 219, "é" * 109, "\u202e", "(((", "0", "999", "+++",
    "رررر", "12/99", "annule", "réponds", "publie", "cherche", "publie \x07"]


@pytest.mark.parametrize("text", NO_QUESTIONS)
def test_whatever_was_acknowledged_is_answered_with_a_sentence(radio, text):
    assert radio.text(text)[1:].strip()


def test_a_day_that_does_not_exist_is_told_again_and_how_to_ask_for_one(radio):
    for typed in ("32/1", "agenda 32/1", "le ٣٢ / ١ svp"):
        said = radio.text(typed).replace(" ", "")
        assert "32/1" in said and said.endswith("21/3"), typed
    assert "21/3" in radio.text("20h30") and "21/3" in radio.text("1 2")


@pytest.mark.parametrize("tag", TAGS)
def test_whatever_figures_come_the_answer_is_a_sentence_in_every_language(place, tag):
    radio = Radio(furnish(place, tag), tag)
    said = set()
    for digits in ("21", "٢١", "0", "99999", "9" * 100):
        for between in ("/", "-", ".", ":", " ", ", ", "\u200f/", "/0/", "/9999/"):
            said.add(radio.text(f"{digits}{between}3", pause_s=60))
    assert 3 < len(said) < 20 and all(answer[1:].strip() for answer in said)


def test_a_number_alone_is_not_posted(radio):
    before = bulletins(radio.place)
    assert "publie TEXTE" in radio.text("publie 2") and "publie TEXTE" in radio.text("poste n° ٣")
    assert bulletins(radio.place) == before
    assert radio.text("publie 2 chaises").startswith(">Publié") and bulletins(radio.place)[0] == "2 chaises"


def test_thanks_need_no_answer(radio):
    assert [radio.text(text) for text in ("merci", "Thanks!", "gracias", "شكرا", "ok")] == [None] * 5


def test_a_letter_cut_on_its_way_spoils_nothing(radio):
    cut = "publie Lait demandé au café 👩‍👩‍👧".encode()
    for end in range(len(cut) - 20, len(cut)):
        place, text = radio.place, cut[:end].decode(errors="replace")
        other = radio.another(b"%d" % end)
        assert other.text(text)[1:].strip()
        assert "\ufffd" not in place.board.bulletins().items[0].text
    assert len(place.board.bulletins(limit=100).items) >= 20


def test_long_sentences_are_told_how_to_be_posted(radio):
    assert "publie TEXTE" in radio.text("Bonjour je cherche quelqu'un pour garder mon chien")


# loops and floods


def test_two_islands_that_text_each_other_fall_silent_at_once(radio, tmp_path):
    (tmp_path / "b").mkdir()
    place = Place(tmp_path / "b")
    there, said = Radio(furnish(place)), 0
    for first in ("nouvelles", "?", "blabla", "1", "publie Bonjour", "😀"):
        text = radio.text(first)
        for turn in range(50):
            if text is None:
                break
            said += 1
            text = (there, radio)[turn % 2].text(text)
    assert said == 6, "each is answered once, and no answer is"
    assert there.answerer.counters["looped"] == 6
    place.archive.close()


def test_what_another_island_answers_is_never_a_question(radio):
    for text in list(radio.answers) + [radio.text(word) for word in ("?", "nouvelles", "agenda", "etat", "langue")]:
        assert text.startswith(MARK) and radio.text(f"  {text}") is None


def test_a_flood_of_one_radio_gets_one_sentence_more_and_then_nothing(radio):
    answers = [radio.text("nouvelles", 0.5) for _ in range(100)]
    given = [answer for answer in answers if answer]
    assert ONE_AT_ONCE < len(given) <= ONE_AT_ONCE + 4
    assert sum("questions" in answer for answer in given) == 1
    assert radio.another(b"two").text("nouvelles"), "another one is answered"
    assert radio.text("nouvelles", 400.0).startswith(">1 ")


def test_a_flood_of_many_radios_is_bounded_in_all(radio):
    flood = [radio.another(b"%d" % number) for number in range(400)]
    answers = [one.text("nouvelles", 0.1) for one in flood]
    assert 40 <= len([answer for answer in answers if answer]) <= 40 + 1 + WAITS_AT_ONCE
    assert sum("questions" in answer for answer in answers if answer) <= WAITS_AT_ONCE
    assert radio.answerer.remembered <= MAX_TALKS


# nothing is kept


def test_who_asked_is_forgotten_after_minutes(radio):
    radio.text("english")
    radio.text("publie Lait")
    radio.answerer.forget(radio.now + REMEMBERED_S)
    assert radio.answerer.remembered == 0
    radio.now += REMEMBERED_S
    assert radio.text("1").startswith(">Il n'y a pas de numéro 1"), "the language and the list too"


def test_a_language_lasts_as_long_as_the_talk(radio):
    radio.text("espanol")
    assert radio.text("blabla").startswith(">No entendido")
    radio.text("nouvelles")
    assert radio.text("blabla").startswith(">No entendido"), "it was chosen, so a word changes nothing"
    other = radio.another(b"two")
    assert other.text("news") and other.text("blabla").startswith(">Not understood"), "a word's language is a guess"


def test_of_a_radio_nothing_is_on_the_board_or_in_its_notes(radio):
    who = b"who-asks-here"
    other = radio.another(who)
    for text in ("nouvelles", "publie Lait", "annule", "english", "cherche soupe"):
        other.text(text)
    store = radio.place.store
    kept = repr({name: store.note(name) for name in store.names()}) + repr([row.raw for row in store.rows()])
    assert len(kept) > 500 and who.decode() not in kept and who.hex() not in kept


# what keepers change


def test_keepers_choose_the_first_line_and_words(place):
    radio = Radio(furnish(place), keepers=KeepersWords("Radio Canal", Vocabulary(own_words("nouvelles = quartier"))))
    assert radio.text("?").startswith(">Radio Canal\n1 agenda 2 quartier\n")
    assert radio.text("quartier") == radio.text("nouvelles") == radio.text("quartir")


def test_an_urgent_call_is_announced_in_one_message_with_the_island_s_name(radio):
    item = replace(radio.place.board.bulletins().items[0], text="Coupure d'eau rue des Envierges. " * 20)
    said = radio.answerer.announcement(item)
    assert said.startswith(">URGENT: Coupure d'eau") and said.endswith(" - Place des Fêtes")
    assert len(said.encode()) <= MOST_BYTES


def test_a_wait_for_air_is_told_once(radio):
    question = Question(Visitor(b"one", b"-"), "nouvelles")
    later = radio.place.minute + 61
    said = radio.answerer.wait_until(question, later, 5.0)
    assert said == ">Plus de temps d'antenne. Redemandez après 02:02."
    assert radio.answerer.wait_until(question, later, 65.0) is None
