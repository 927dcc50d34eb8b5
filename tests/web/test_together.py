"""All that a group signed, all at one place, one post to hand on, and how many have replied."""

import re
from urllib.parse import unquote

import pytest

from node.board.api import Draft
from node.model.record import Kind
from tests.sim.places import add_group
from tests.sim.portals import GROUP, PASSPHRASE, words
from web.pages import MAX_PAGE_BYTES

NAME = "AMAP du canal"
PATH = f"/by/{GROUP.key_id.hex()}"


def page_of(portal, path):
    answer = portal.get(f"{path}{'&' if '?' in path else '?'}lang=en")
    assert answer.status_code == 200 and len(answer.get_data()) + 900 <= MAX_PAGE_BYTES, path
    return answer


def links(answer):
    main = answer.get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    return re.findall(r'href="(/r/[0-9a-f]+)[?"]', main)


def gathering(board, days, place="Quai de Valmy", organiser="", title="Bal"):
    start = board.now() + days * 1440
    return Draft(Kind.EVENT, "Venez", title=title, place=place, organiser=organiser, start=start, end=start + 60, offset=4)


@pytest.fixture
def group(board):
    add_group(board, NAME, bytes([4]) * 32, PASSPHRASE)
    return lambda draft: board.post(draft, NAME, PASSPHRASE)


def test_a_group_s_page_has_what_it_signed_and_nothing_that_only_names_it(portal, board, group):
    later, sooner = group(gathering(board, 5)), group(gathering(board, 2))
    news = group(Draft(Kind.BULLETIN, "Paniers de mardi"))
    claimed = board.post(gathering(board, 3, organiser=NAME))
    page = page_of(portal, PATH)
    assert links(page) == [f"/r/{one.id[:12]}" for one in (sooner, later, news)]
    assert NAME in words(page) and "known through the founders" in words(page)
    assert f'href="{PATH}' in page_of(portal, f"/r/{news.id}").get_data(as_text=True)
    assert "this group has not signed it" in words(page_of(portal, f"/r/{claimed.id}"))
    for calm in (group(gathering(board, 9, organiser=NAME)), board.post(gathering(board, 9, organiser="Nous"))):
        assert "has not signed" not in words(page_of(portal, f"/r/{calm.id}"))


def test_a_group_s_page_turns_until_all_was_shown(portal, board, group):
    posted = {f"/r/{group(Draft(Kind.BULLETIN, f'Panier {number}')).id[:12]}" for number in range(30)}
    seen, path, pages = [], PATH, 0
    while path:
        page = page_of(portal, path)
        seen, pages = seen + links(page), pages + 1
        following = re.search(r'rel="next" href="([^"]+)"', page.get_data(as_text=True))
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == 30 and set(seen) == posted and pages > 2


@pytest.mark.parametrize("key_id", ["0" * 16, "garbage", "é", "0" * 500])
def test_nobody_of_an_unknown_key_has_a_page(portal, key_id):
    assert portal.get(f"/by/{key_id}").status_code == 404


def test_a_place_has_a_page_of_what_comes_there_however_it_is_written(portal, neighbourhood, board):
    late, soon = board.post(gathering(board, 4)), board.post(gathering(board, 1, place="QUAI de Valmy "))
    board.post(gathering(board, 2, place="Quai de Valmy, péniche"))
    board.post(Draft(Kind.BULLETIN, "Trouvé quai de Valmy"))
    for item in board.events(0, 10**7):
        neighbourhood.archive.index(bytes.fromhex(item.id), item.created, f"{item.title} {item.place}")
    page = page_of(portal, "/at?place=quai+de+valmy")
    assert links(page) == [f"/r/{one.id[:12]}" for one in (soon, late)]
    assert re.search(r'href="/at\?place=Quai\+de\+Valmy', page_of(portal, f"/r/{late.id}").get_data(as_text=True))
    for nothing in ("/at", "/at?place=", "/at?place=%00", "/at?place=Nulle+part"):
        assert "Nothing is announced at this place" in words(page_of(portal, nothing))


def test_a_post_is_shared_by_a_short_address_a_code_and_a_message(portal, board):
    posted = board.post(gathering(board, 4, title="Grand bal « du canal » & cie"))
    page = page_of(portal, f"/r/{posted.id}/share").get_data(as_text=True)
    address = f"http://archipel.lan/r/{posted.id[:12]}"
    assert f">{address}<" in page and f'aria-label="{address}"' in page and "<svg" in page
    text = unquote(re.search(r'href="sms:\?&amp;body=([^"]+)"', page)[1])
    assert text.startswith("Grand bal « du canal » & cie, ") and text.endswith(address) and "Quai de Valmy" in text
    assert "5 December, 10:00" in text
    assert f'href="/r/{posted.id[:12]}/share' in page_of(portal, f"/r/{posted.id}").get_data(as_text=True)


def test_a_message_may_be_read_on_another_day(portal, board):
    posted = board.post(gathering(board, 1))
    page = page_of(portal, f"/r/{posted.id}/share").get_data(as_text=True)
    text = unquote(re.search(r'href="sms:\?&amp;body=([^"]+)"', page)[1])
    assert "Tomorrow" in words(page_of(portal, f"/r/{posted.id}"))
    assert "Tomorrow" not in text and "2 December, 10:00" in text


@pytest.mark.parametrize("text", ["x" * 1_000, "‏مرحبا " * 60, "a & b \"c\" <d>\n\n" * 30])
def test_a_message_has_room_for_its_address_whatever_the_post_says(portal, board, text):
    posted = board.post(Draft(Kind.BULLETIN, text.replace("\u200f", "")))
    page = page_of(portal, f"/r/{posted.id}/share").get_data(as_text=True)
    sent = unquote(re.search(r'href="sms:\?&amp;body=([^"]+)"', page)[1])
    assert len(sent) <= 160 and sent.endswith(f"/r/{posted.id[:12]}")


def test_lists_say_how_many_have_replied_and_count_none_that_is_hidden_or_withdrawn(portal, board):
    asked = board.post(Draft(Kind.BULLETIN, "Qui a une remorque ?"))
    event = board.post(gathering(board, 1))
    replies = [board.post(Draft(Kind.REPLY, f"Moi {number}", target=asked.id)) for number in range(3)]
    board.post(Draft(Kind.REPLY, "J’y serai", target=event.id))
    assert "3 replies" in words(page_of(portal, "/bulletins")) and "1 reply" in words(page_of(portal, "/agenda"))
    board.withdraw(replies[0].id, replies[0].edit_code)
    board.hide(replies[1].id)
    assert "1 reply" in words(page_of(portal, "/bulletins"))
    board.withdraw(replies[2].id, replies[2].edit_code)
    assert "repl" not in words(page_of(portal, "/bulletins"))
