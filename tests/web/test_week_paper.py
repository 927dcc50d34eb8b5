"""The paper of the week: what is in it, how its pages fold, and that another island takes it all in again."""

import re

import pytest

from node.board.api import Draft
from node.model.record import Kind
from node.replica.liveset import LiveSet
from node.transfer.paper import records_in
from tests.sim.portals import CHARTER
from web.week_paper import sides
from web.week_press import MOST_PAGES, shared

DAY_MIN = 1_440
MOST_BYTES = 100_000  # of a paper: nine or twenty codes, and eight pages of text


def fill(place, events, bulletins, letters=120):
    """A board with as many of both; each has a number in it."""
    for number in range(events):
        title = f"Soupe e{number}e " + "et bal " * (number % 4)
        place.event((title, "Salle des fêtes", "", "Venez nombreux. " * (letters // 16), ""),
                    place.board.now() + 60 + number * 9 * DAY_MIN // events, number % 14)
    for number in range(bulletins):
        place.bulletin(f"Annonce b{number}b\n" + "une perceuse " * (letters // 13), number % 14, urgent=number == 3)


def text(portal, path):
    """A page without its pictures, whose letters say anything."""
    return re.sub(r'src="data:[^"]*"', 'src="data:"', portal.get(path).get_data(as_text=True))


def numbers(page):
    """The pages in the order in which they are printed."""
    return [int(number) for number in re.findall(r'class="pg o(\d)"', page)]


def test_a_paper_of_few_posts_is_one_sheet_with_all_of_them_and_lines_to_write_on(portal, neighbourhood):
    fill(neighbourhood, 6, 6)
    page = text(portal, "/weekly?lang=en")
    assert numbers(page) == [4, 1, 2, 3]
    assert set(re.findall(r"[eb]\d+[eb]", page)) == {f"e{n}e" for n in range(6)} | {f"b{n}b" for n in range(6)}
    assert "Venez nombreux. Venez" in page and "une perceuse une perceuse" in page and "found no room" not in page
    assert 'class="u"' in page.partition("Annonce b3b")[0][-80:]  # on top, in its box
    assert "From Monday, 1 December to Sunday, 7 December 2025" in page and "Valid until Sunday, 7 December 2025." in page
    assert page.count("<li></li>") > 8 and 'aria-label="Archipel"' in page and 'aria-label="http://archipel.lan/"' in page


def test_an_empty_board_has_a_paper_too(portal):
    page = text(portal, "/weekly?lang=en")
    assert numbers(page) == [4, 1, 2, 3] and "Nothing is announced for these days." in page and 'class="g"' not in page


@pytest.mark.parametrize("more", ["", "lang=en&size=large", "lang=ar"])
def test_a_paper_never_has_more_than_eight_pages_and_counts_what_it_leaves_out(portal, neighbourhood, more):
    fill(neighbourhood, 100, 120, 40)
    path = f"/weekly?{more or 'lang=en'}"
    page = text(portal, path)
    assert sorted(numbers(page)) == list(range(1, MOST_PAGES + 1)) and len(portal.get(path).data) < MOST_BYTES
    shown = {kind: set(re.findall(rf"{kind}\d+{kind}", page)) for kind in "eb"}
    assert len(shown["e"]) > 20 < len(shown["b"])
    if "ar" not in more:
        left = {word: sum(map(int, re.findall(rf"(\d+) more {word}", page))) for word in ("event", "bulletin")}
        assert left["bulletin"] == 120 - len(shown["b"])
        before = sum(number * 9 * DAY_MIN // 100 + 60 < 6 * DAY_MIN + 13 * 60 for number in range(100))
        assert left["event"] >= before - len(shown["e"]) and "http://archipel.lan/" in page.partition("more event")[2][:200]


def test_a_text_longer_than_a_page_of_large_type_is_cut_and_says_so(portal, board):
    board.post(Draft(Kind.BULLETIN, "Compte rendu\n" + "La réunion a décidé ceci. " * 54))
    assert "ceci.…" not in text(portal, "/weekly?lang=fr") and "…" not in text(portal, "/weekly?lang=fr")
    large = text(portal, "/weekly?lang=fr&size=large").partition("Compte rendu")[2].partition("…")[0]
    assert 700 < len(large) < 1_200


def test_a_crowd_of_urgent_posts_leaves_the_paper_its_agenda(portal, neighbourhood):
    for number in range(30):
        neighbourhood.bulletin(f"Coupure b{number}b " + "d’eau " * 20, urgent=True)
    fill(neighbourhood, 4, 0)
    page = text(portal, "/weekly?lang=en")
    shown = set(re.findall(r"[eb]\d+[eb]", page))
    assert {f"e{number}e" for number in range(4)} | {f"b{number}b" for number in range(30)} <= shown
    assert page.count('class="u"') == 12


def test_the_pages_fold_into_their_order():
    assert sides([1, 2, 3, 4]) == [[4, 1], [2, 3]]
    assert sides(list(range(1, 9))) == [[8, 1], [2, 7], [6, 3], [4, 5]]
    for total in (4, 8):
        found = sides(list(range(1, total + 1)))
        for front, back in zip(found[::2], found[1::2], strict=True):  # what is behind a page follows it
            assert back[0] == front[1] + 1 and front[0] == back[1] + 1


def test_the_paper_folds_the_other_way_in_arabic_and_can_be_had_page_after_page(portal, neighbourhood):
    fill(neighbourhood, 3, 3)
    assert numbers(text(portal, "/weekly?lang=ar")) == [4, 1, 2, 3] and 'dir="rtl"' in text(portal, "/weekly?lang=ar")
    plain = text(portal, "/weekly?lang=en&plain=1")
    assert numbers(plain) == [1, 2, 3, 4] and "short edge" not in plain and "short edge" in text(portal, "/weekly?lang=en")
    kept = portal.get("/weekly?lang=en&file=1")
    assert kept.headers["Content-Disposition"] == 'attachment; filename="2025-12-01-archipel.html"'
    assert "short edge" not in kept.get_data(as_text=True)
    assert not re.search(r'(src|href)="[^d]', kept.get_data(as_text=True))  # but pictures in the file itself


def test_what_is_printed_is_taken_in_again_by_an_island_that_knows_nobody(neighbourhood):
    board = neighbourhood.board
    fill(neighbourhood, 5, 5)
    gone = board.post(Draft(Kind.EVENT, title="Bal", start=board.now() + 600, end=board.now() + 700))
    board.withdraw(gone.id, gone.edit_code, "la salle est prise")
    ids = [item.id for item in board.bulletins().items + board.events(board.now(), 10**7)]
    codes, beyond = board.transfer.codes(ids, 1_249, 20)
    assert 1 < len(codes) < 11 and not beyond and all(len(code) <= 1_249 for code in codes)
    elsewhere = LiveSet(CHARTER)
    elsewhere.apply(elsewhere.propose(records_in("\n".join(codes))[0], neighbourhood.clock.now()))
    assert set(map(bytes.fromhex, ids)) <= set(elsewhere.ids())
    ending = [elsewhere.get(id_) for id_ in elsewhere.about(bytes.fromhex(gone.id)[:8]) if id_.hex() != gone.id]
    assert [record.kind for record in ending] == [Kind.CANCELLATION]
    again = board.transfer.deliver_letters("\n".join(codes))
    assert again.known == len(elsewhere.ids()) and not (again.bad or again.problem)
    fewer, beyond = board.transfer.codes(ids, 1_249, 2)
    assert len(fewer) == 2 and 0 < beyond < len(ids)


def test_each_part_has_its_share_of_the_room_and_what_others_leave():
    shares = {"agenda": 0.5, "news": 0.3, "calls": 0.2}
    assert shared({"agenda": 10, "news": 10, "calls": 10}, shares, 100) == {"agenda": 10, "news": 10, "calls": 10}
    crowded = shared({"agenda": 1_000, "news": 1_000, "calls": 5}, shares, 100)
    assert crowded["calls"] == 5 and sum(crowded.values()) == pytest.approx(100)
    assert crowded["agenda"] / crowded["news"] == pytest.approx(5 / 3) and shared(shares, shares, 0)["news"] == 0
