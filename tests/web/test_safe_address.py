"""What is secret does not cross the box's own Wi-Fi in the clear: it is asked for at the safe address only."""

import re
from dataclasses import replace

import pytest

from node.board.api import Draft
from node.model.record import Kind
from tests.sim.places import add_group
from tests.sim.portals import PASSPHRASE, words
from tests.web.signing import csrf_of, is_in, sign_in
from web import create_app
from web.portal_settings import SafeAddress

SAFE = SafeAddress(("safe.archipel.lan", "198.51.100.2", "198.51.100.129"), bytes(range(0xA0, 0xC0)))
WIFI = {"X-Arrival": "wifi"}
GROUP = "AMAP du canal"
PAGE = "Not in the clear"


@pytest.fixture
def settings(settings):
    return replace(settings, language="en", safe=lambda: SAFE)


@pytest.fixture
def sealed(portal):
    """The same portal over https, on another browser."""
    return Sealed(portal.application.test_client())


class Sealed:
    """A test client whose front says that it was asked over https."""

    def __init__(self, client):
        self._client, self.application = client, client.application

    def get(self, path, **more):
        return self._client.get(path, **_over_https(more))

    def post(self, path, **more):
        return self._client.post(path, **_over_https(more))

    def get_cookie(self, *names, **more):
        return self._client.get_cookie(*names, **more)

    def set_cookie(self, *names, **more):
        self._client.set_cookie(*names, **more)


def _over_https(more):
    return more | {"headers": WIFI | {"X-Forwarded-Proto": "https"} | more.pop("headers", {})}


def text_of(answer):
    return answer.get_data(as_text=True)


def groups_post(board):
    add_group(board, GROUP, bytes([4]) * 32, PASSPHRASE)
    return board.post(Draft(Kind.BULLETIN, "Légumes"), GROUP, PASSPHRASE)


# what asks for a secret is not shown

def test_no_page_over_the_wifi_asks_for_a_password_or_passphrase(portal, board):
    posted = groups_post(board)
    pages = [str(rule) for rule in portal.application.url_map.iter_rules()
             if "GET" in rule.methods and not rule.arguments and not str(rule).startswith("/static")]
    pages += [f"/r/{posted.id[:12]}{more}" for more in ("", "/edit", "/withdraw")] + ["/keeper/groups?x", "/start"]
    asked = 0
    for rule in ("open", "members"):
        board.set_posting(rule, "lea")
        for path in pages:
            page = portal.get(path, headers=WIFI).data
            assert b'type="password"' not in page, path
            asked += PAGE.encode() in page
    assert asked > 20 and len(pages) > 40


@pytest.mark.parametrize("path", ["/keeper", "/keeper/", "/keeper/people", "/keeper/nothing", "/start", "/start/join",
                                  "/%6beeper"])
def test_every_page_of_keepers_says_before_anything_is_typed_where_to_type_it(portal, path):
    answer = portal.get(path, headers=WIFI)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert len(answer.data) < 13_000 and "<form" not in text_of(answer).partition("<main")[2]
    top = "start" if "start" in path else "keeper"
    assert f'href="https://safe.archipel.lan/{"keeper/people" if "people" in path else top}"' in text_of(answer)
    assert f">https://safe.archipel.lan/{top}</a>" in text_of(answer), "what is to be typed is short"
    said = words(answer)
    assert "https://198.51.100.2/" in said and "A0 A1 A2 A3 A4 A5 A6 A7" in said
    assert all(browser in said for browser in ("Firefox", "Chrome", "Safari"))


def test_at_the_first_start_it_sends_to_no_sheet(portal):
    assert "There is no sheet yet" in words(portal.get("/start", headers=WIFI))
    assert "Believe the sheet" in words(portal.get("/keeper", headers=WIFI))


@pytest.mark.parametrize("tag", ["fr", "en", "es", "ar"])
def test_it_leads_on_in_the_reader_s_language(portal, tag):
    page = text_of(portal.get(f"/keeper?lang={tag}", headers=WIFI))
    assert f'<html lang="{tag}"' in page and f'href="https://safe.archipel.lan/keeper?lang={tag}"' in page


@pytest.mark.parametrize("path", ["/keeperx", "/", "/agenda", "/post", "/learn/privacy"])
def test_what_asks_for_nothing_is_shown_as_ever(portal, path):
    assert PAGE not in text_of(portal.get(path, headers=WIFI))


def test_the_box_s_cable_for_visitors_is_a_network_of_others_too(portal):
    page = text_of(portal.get("/keeper?lang=en", headers={"X-Arrival": "cable"}))
    assert PAGE in page and 'href="https://safe.archipel.lan/keeper' in page and "Or by cable" not in page


def test_by_another_cable_by_loopback_and_over_https_the_page_is_there(portal, sealed):
    assert sign_in(portal).status_code == 303 and is_in(portal)
    assert sign_in(sealed).status_code == 303 and is_in(sealed)


def test_a_cable_is_told_of_the_safe_address_at_the_host_that_was_asked(portal):
    for host in ("192.168.1.20:8080", "archipel.local", "[fe80::1]", "[fe80::1]:8080"):
        safe = host.removesuffix(":8080")
        assert f'href="https://{safe}/keeper"' in text_of(portal.get("/keeper", headers={"Host": host}))


def test_without_a_certificate_the_page_sends_to_the_cable(board, settings):
    portal = create_app(board, replace(settings, safe=lambda: None)).test_client()
    answer = portal.get("/keeper", headers=WIFI)
    assert "by cable these pages open" in words(answer) and "https:" not in text_of(answer)
    for headers in ({}, {"X-Arrival": "cable"}):
        page = text_of(portal.get("/keeper", headers=headers))
        assert 'type="password"' in page and "https:" not in page


# what comes all the same is not used

def test_a_password_that_came_in_the_clear_opens_nothing(portal):
    answer = portal.post("/keeper/login", data={"name": "lea", "password": "sesame"}, headers=WIFI)
    assert answer.status_code == 403 and "Set-Cookie" not in answer.headers
    assert "choose another one" in words(answer)


def test_a_form_of_the_desk_that_comes_in_the_clear_does_nothing(portal, board):
    sign_in(portal)
    csrf = csrf_of(portal)
    answer = portal.post("/keeper/settings/posting", data={"csrf": csrf, "posting": "members"}, headers=WIFI)
    assert answer.status_code == 403 and board.status().rules.posting == "open"


def test_a_session_whose_cookie_came_in_the_clear_ends(portal):
    sign_in(portal)
    cookie = portal.get_cookie("keeper", path="/keeper").value
    portal.get("/keeper", headers=WIFI)
    thief = portal.application.test_client()
    thief.set_cookie("keeper", cookie, path="/keeper")
    assert not is_in(thief) and not is_in(portal)


def test_a_group_s_passphrase_that_came_in_the_clear_posts_nothing(portal, board):
    posted = groups_post(board)
    token = re.search(r'name="token" value="([^"]+)"', text_of(portal.get("/post"))).group(1)
    fields = {"token": token, "kind": "bulletin", "text": "Encore", "word": PASSPHRASE, "action": "publish"}
    for path, more in (("/post", {"group": GROUP, "passphrase": PASSPHRASE}), (f"/r/{posted.id[:12]}/edit", {}),
                       (f"/r/{posted.id[:12]}/withdraw", {"action": "withdraw"})):
        answer = portal.post(path, data=fields | more, headers=WIFI)
        assert answer.status_code == 403 and f'href="https://safe.archipel.lan{path}' in text_of(answer), path
    assert [item.text for item in board.bulletins().items] == ["Légumes"]


# groups and authors

def test_a_form_over_the_wifi_leads_groups_to_the_safe_address(portal, sealed, board):
    groups_post(board)
    page = text_of(portal.get("/post?kind=event", headers=WIFI))
    assert 'name="group"' not in page and 'href="https://safe.archipel.lan/post?kind=event"' in page
    assert 'name="passphrase"' in text_of(sealed.get("/post")) and 'name="passphrase"' in text_of(portal.get("/post"))


def test_where_only_groups_post_the_form_is_at_the_safe_address(portal, board):
    groups_post(board)
    board.set_posting("members", "lea")
    page = text_of(portal.get("/post?kind=event", headers=WIFI))
    assert PAGE in page and 'href="https://safe.archipel.lan/post?kind=event"' in page


def test_a_neighbour_corrects_and_withdraws_with_the_edit_code_as_ever(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Chat perdu"))
    for way in ("edit", "withdraw"):
        page = text_of(portal.get(f"/r/{posted.id[:12]}/{way}", headers=WIFI))
        assert 'name="word"' in page and PAGE not in page
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    fields = {"token": token, "word": posted.edit_code, "action": "withdraw"}
    assert portal.post(f"/r/{posted.id[:12]}/withdraw", data=fields, headers=WIFI).status_code == 200
    assert not board.bulletins().items


# sessions

def test_a_session_over_https_is_good_over_https_only(portal, sealed):
    cookies = sign_in(sealed).headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Secure-keeper") and "; Secure" in cookie and "Path=/keeper" in cookie
    kept = re.match("([^=]+)=([^;]+)", cookies[0])
    thief = portal.application.test_client()
    for name in ("keeper", kept[1]):
        thief.set_cookie(name, kept[2], path="/keeper")
    assert not is_in(thief) and is_in(sealed)


def test_a_session_that_was_opened_by_cable_opens_nothing_over_https(portal, sealed):
    sign_in(portal)
    cookie = portal.get_cookie("keeper", path="/keeper").value
    for name in ("keeper", "__Secure-keeper"):
        sealed.set_cookie(name, cookie, path="/keeper", secure=True)
    assert not is_in(sealed) and is_in(portal)


def test_on_one_browser_a_session_of_each_kind_is_in_no_other_s_way(portal):
    both = Sealed(portal)
    assert sign_in(both).status_code == 303 and sign_in(portal).status_code == 303
    assert is_in(both) and is_in(portal)
    csrf = csrf_of(both)
    gone = both.post("/keeper/logout", data={"csrf": csrf}).headers.getlist("Set-Cookie")
    assert len(gone) == 2 and all(cookie.startswith("__Secure-") and "; Secure" in cookie for cookie in gone)
    assert not is_in(both) and is_in(portal)


def test_no_page_is_redirected_to_https_and_none_is_bound_to_it(portal, sealed):
    for path in ("/", "/hello", "/keeper", "/post"):
        for client in (portal, sealed):
            answer = client.get(path)
            assert answer.status_code == 200 and "Strict-Transport-Security" not in answer.headers
    assert portal.get("/generate_204", headers={"Host": "connectivitycheck.gstatic.com"} | WIFI).location == (
        "http://archipel.lan/hello")


def test_who_is_not_the_front_makes_no_page_pass_for_encrypted(portal):
    lie = {"X-Forwarded-Proto": "https"} | WIFI
    assert PAGE in text_of(portal.get("/keeper", headers=lie, environ_overrides={"REMOTE_ADDR": "198.51.100.20"}))


def test_the_desk_shows_the_whole_fingerprint_and_which_way_one_came(portal, sealed):
    for client, way in ((portal, "by a cable"), (sealed, "is encrypted")):
        sign_in(client)
        assert "/keeper/safe" in text_of(client.get("/keeper"))
        said = words(client.get("/keeper/safe"))
        assert SAFE.fingerprint in said and SAFE.url in said and way in said


def test_where_there_is_no_certificate_the_desk_speaks_of_none(board, settings):
    portal = create_app(board, replace(settings, safe=lambda: None)).test_client()
    sign_in(portal)
    assert "/keeper/safe" not in text_of(portal.get("/keeper")) and portal.get("/keeper/safe").status_code == 404
