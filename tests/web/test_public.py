"""What everybody reads: light, complete without script, without cookies, in one's language."""

import re
from html import unescape

import pytest

from node.board.api import Draft
from node.model.record import Kind, Record
from tests.sim.portals import ELSEWHERE
from web.public import MAX_QUERY

PAGES = ["/", "/hello", "/agenda", "/agenda?month=2026-11", "/bulletins", "/bulletins?topic=food", "/topics/food",
         "/urgent", "/post", "/post?kind=event", "/search", "/search?q=eau", "/map", "/paper", "/poster", "/leaflet",
         "/copy", "/weekly", "/wall", "/take", "/courier", "/learn", "/learn/board", "/learn/privacy", "/learn/conduct",
         "/learn/demonstration", "/learn/island", "/radio", "/nowhere"]
PRINTED, PRINTED_BYTES = {"/poster", "/leaflet", "/copy", "/weekly"}, 100_000  # they leave nothing out for their weight
LANGUAGES = ["fr", "en", "es", "ar"]


def test_sixty_replies_are_all_reached_by_turning_pages(portal, neighbourhood, board):
    neighbourhood.bulletin("Qui vient ?")
    asked = board.bulletins().items[0]
    for number in range(60):
        neighbourhood.take(Record(Kind.REPLY, ELSEWHERE.key_id, board.now(), 24, language=1, packed=f"n{number}n".encode(),
                                  target=bytes.fromhex(asked.id)[:8]))
    path, seen = f"/r/{asked.id[:12]}", []
    while path:
        shown = page(portal, path)
        seen += re.findall(r"<p[^>]*>n(\d+)n", shown)
        following = re.search(r'rel="next" href="([^"]*)"', shown)
        path = following and unescape(following[1])
    assert sorted(map(int, seen)) == list(range(60))


def weight(answer):
    headers = [f"{name}: {value}\r\n" for name, value in answer.headers]
    return len("HTTP/1.1 200 OK\r\n\r\n" + "".join(headers)) + len(answer.data)


def page(portal, path):
    return portal.get(path).get_data(as_text=True)


@pytest.fixture
def busy(portal, neighbourhood):
    """The portal of a busy board: long bulletins and events in two scripts."""
    french = "Distribution de légumes à l’école, apportez des sacs et de quoi écrire. " * 4
    arabic = "اجتماع الجيران في دار الجمعيات مساء الغد، نتكلم عن الماء. " * 6
    for number in range(40):
        text = f"{number} {arabic if number % 2 else french}"
        neighbourhood.bulletin(text, number % 14, 4 if number % 2 else 1, urgent=number % 10 == 0)
        start = neighbourhood.board.now() + number * 200
        neighbourhood.event((text[:100], text[:150], text[:50], text), start, number % 14)
    return portal


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_a_busy_board_weighs_less_than_14000_bytes_with_its_headers(busy, language):
    for path in PAGES:
        answer = busy.get(path, headers={"Accept-Language": language})
        assert weight(answer) <= (PRINTED_BYTES if path in PRINTED else 14_000), f"{path}: {weight(answer)}"
        assert f'lang="{language}"' in answer.get_data(as_text=True)


def test_readers_get_no_cookie_no_script_and_no_foreign_address(busy):
    seen, todo = set(), ["/"]
    while todo:
        path = todo.pop()
        answer = busy.get(path)
        text = answer.data.decode(errors="replace")  # the board as a file is no text
        assert "Set-Cookie" not in answer.headers, path
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-"), path
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        if answer.mimetype == "text/html":
            assert not re.search(r'<script|javascript:|\son\w+="|style="|(src|href|action)="(https?:)?//', text), path
        seen.add(path.split("?")[0])
        todo += [unescape(link) for link in re.findall(r'href="(/[^"]*)"', text)
                 if unescape(link).split("?")[0] not in seen and not link.startswith("/r/")]
    assert {"/agenda", "/learn/privacy", "/keeper", "/radio", "/feed.atom"} <= seen


def test_home_shows_what_is_new_and_what_happens(portal, board):
    board.post(Draft(Kind.BULLETIN, "Cantine solidaire"))
    board.post(Draft(Kind.EVENT, title="Assemblée", start=board.now() + 60, end=board.now() + 90))
    text = page(portal, "/?lang=fr")
    assert "Cantine solidaire" in text and "Assemblée" in text and "Aujourd’hui" in text
    assert "il y a 1 minute" in text


def test_the_browser_chooses_the_language_and_a_link_chooses_another_for_all_links(portal):
    assert 'lang="es"' in portal.get("/", headers={"Accept-Language": "es-MX,en;q=0.5"}).get_data(as_text=True)
    assert 'lang="fr"' in portal.get("/", headers={"Accept-Language": "xx"}).get_data(as_text=True)
    chosen = portal.get("/?lang=ar", headers={"Accept-Language": "fr"}).get_data(as_text=True)
    assert '<html lang="ar" dir="rtl">' in chosen
    links = re.findall(r'<a [^>]*href="(/[^"]*)"', chosen)
    assert links and all("lang=" in link for link in links)
    assert portal.get("/?lang=nope").status_code == 200


def test_large_type_is_carried_from_link_to_link(portal):
    large = page(portal, "/?size=large")
    assert '<body class="D L">' in large
    assert all("size=large" in link for link in re.findall(r'href="(/[^"]*)"', large.partition('class="n"')[2]))


def test_bulletins_come_newest_first_a_page_at_a_time(portal, board):
    for number in range(30):
        board.post(Draft(Kind.BULLETIN, f"Annonce {number:02}"))
    seen, path = [], "/bulletins"
    while path:
        text = page(portal, path)
        seen += re.findall(r"Annonce (\d\d)</a>", text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = unescape(following.group(1)) if following else None
    assert len(seen) == len(set(seen)) == 30


def test_what_is_urgent_stands_first_and_once(portal, neighbourhood):
    neighbourhood.bulletin("Coupure d’eau", urgent=True)
    text = page(portal, "/?lang=fr")
    assert text.count("Coupure d’eau") == 1 and text.index("Coupure d’eau") < text.index("Aujourd’hui")
    assert "par <bdi>Île de la gare</bdi>" in text


def test_all_that_is_urgent_is_one_tap_away_and_its_pages_turn(portal, neighbourhood):
    for number in range(30):
        neighbourhood.bulletin(f"Coupure u{number}u " + "d’eau " * 20, urgent=True)
    home = page(portal, "/?lang=en")
    shown = len(set(re.findall(r"u\d+u", home.partition('id="urgent"')[2].partition("</section>")[0])))
    assert f"{30 - shown} more urgent posts" in home
    seen, path = set(), "/urgent"
    while path:
        text = page(portal, path)
        seen |= set(re.findall(r"u\d+u", text))
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = unescape(following[1]) if following else None
    assert len(seen) == 30


def test_topics_are_chosen_by_their_name_and_unknown_ones_are_not_found(portal, board):
    board.post(Draft(Kind.BULLETIN, "Des carottes", topic=4))
    board.post(Draft(Kind.BULLETIN, "Un appartement", topic=6))
    for path in ("/bulletins?topic=food", "/topics/food"):
        assert "carottes" in page(portal, path) and "appartement" not in page(portal, path)
    assert portal.get("/bulletins?topic=nope").status_code == 404 == portal.get("/topics/nope").status_code


def test_an_item_says_when_it_was_posted_by_whom_and_until_when(portal, board):
    item_id = board.post(Draft(Kind.BULLETIN, "Chat gris\nIl attend au 14.", 1, 10)).id
    text = page(portal, f"/r/{item_id[:12]}?lang=en")
    assert "<h1" in text and "Il attend au 14." in text
    assert "from this island" in text and "Valid until" in text and "Lost and found" in text


def test_a_long_item_is_never_cut(portal, neighbourhood):
    text = "Des légumes et des bras pour éplucher. " * 40
    neighbourhood.bulletin(text.strip())
    assert text.strip() in unescape(page(portal, f"/r/{neighbourhood.board.bulletins().items[0].id}"))


@pytest.mark.parametrize("item_id", ["0" * 12, "x", "..", "%00", "a" * 500, "0" * 7])
def test_what_is_not_on_the_board_is_not_found_and_says_so(portal, item_id):
    for path in (f"/r/{item_id}", f"/r/{item_id}/edit", f"/r/{item_id}/withdraw", f"/r/{item_id}.ics"):
        answer = portal.get(path)
        assert answer.status_code == 404
    assert "n’existe pas" in page(portal, "/r/000000000000?lang=fr")


def test_search_finds_words_and_shows_them_again(portal, neighbourhood):
    neighbourhood.bulletin("Cantine solidaire")
    neighbourhood.find_words()
    text = page(portal, "/search?q=cantine")
    assert "Cantine solidaire" in text and 'value="cantine"' in text
    assert "Cantine solidaire" not in page(portal, "/search?q=absent")
    assert portal.get('/search?q="><script>').status_code == 200
    assert "<script" not in page(portal, '/search?q="><script>')


def test_a_question_is_as_long_as_a_line_and_no_longer(portal):
    text = page(portal, f"/search?q={'a' * (MAX_QUERY + 1)}")
    assert f'value="{"a" * MAX_QUERY}"' in text


def test_a_failure_of_ours_still_answers_with_a_page(portal, board):
    portal.application.config["PROPAGATE_EXCEPTIONS"] = False
    board.search = None
    answer = portal.get("/search?q=x&lang=fr")
    assert answer.status_code == 500 and "Quelque chose" in answer.get_data(as_text=True)
