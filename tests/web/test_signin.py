"""Keepers sign in with a password each, and a session ends when it is said to."""

import hashlib
import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.security import generate_password_hash

from node.board.api import Draft
from node.board.keywords import seed_words
from node.model.passphrase import MOST
from node.model.record import Kind
from node.store.index import StoreFailed
from tests.sim.places import add_group
from tests.sim.portals import PASSPHRASE, PASSWORD, PASSWORD_HASH, words
from tests.web.signing import csrf_of, desk_of, is_in, sign_in
from web import create_app
from web.sessions import IDLE_S, LIFE_S, MAX_EACH
from web.tries import DELAY_S, FREE_TRIES

NEW = "quatre mots au hasard"
KEEPER, STRANGER = "198.51.100.20", "198.51.100.30"


def hashed(password):
    """As a keeper's password is kept, and quick to try."""
    return generate_password_hash(password, "scrypt:1024:8:1")


@pytest.fixture
def desk(portal):
    return desk_of(portal)


@pytest.fixture
def browser(portal):
    """Another browser on the same portal."""
    return portal.application.test_client()


def cookie_of(portal):
    return portal.get_cookie("keeper", path="/keeper").value


def opens(portal, cookie):
    """Whether a copy of a cookie opens the desk."""
    copy = portal.application.test_client()
    copy.set_cookie("keeper", cookie, path="/keeper")
    return is_in(copy)


@pytest.mark.parametrize(("name", "password"), [
    ("lea", "faux"), ("lea", ""), ("personne", PASSWORD), ("", ""), ("lea\x00", "x"), ("--help", PASSWORD),
    ("é" * 300, "x"), ("lea", "x" * 100_000), ("\u202elea", PASSWORD), ("lea", "\ud83d"),
])
def test_a_wrong_name_or_password_opens_nothing(portal, name, password):
    name, password = (text.encode("utf-8", "replace").decode() for text in (name, password))
    assert sign_in(portal, name, password).status_code == 403
    assert "Set-Cookie" not in portal.get("/keeper").headers and not is_in(portal)


def test_a_wrong_name_costs_as_much_as_a_wrong_password(portal, board, monkeypatch):
    costs, scrypt = [], hashlib.scrypt

    def counted(password, *, salt, n, r, p, **rest):
        costs.append((n, r, p))
        return scrypt(password, salt=salt, n=n, r=r, p=p, **rest)

    board.set_keeper("samira", generate_password_hash(NEW))
    sign_in(portal, "nobody", "x")  # what nobody's hash is made of is made once
    monkeypatch.setattr(hashlib, "scrypt", counted)
    for name in ("samira", "nobody", "--help", ""):
        assert sign_in(portal, name, "faux", address=f"198.51.100.{len(costs)}").status_code == 403
    assert len(costs) == 4 and len(set(costs)) == 1 and costs[0][0] >= 1 << 15


@pytest.mark.parametrize(("kept", "typed"), [
    ("Élodie", "E\u0301lodie"), ("Élodie", " Élodie  "), ("Anne Marie", "Anne  Marie"), ("--help", "--help"),
])
def test_a_name_may_be_typed_as_keyboards_do(portal, board, kept, typed):
    board.set_keeper(kept, PASSWORD_HASH)  # the last one as it could be made before there was a rule
    assert sign_in(portal, typed).status_code == 303


@pytest.mark.parametrize("typed", ["de\u0301ja\u0300 vu au canal", "déjà\u00a0vu au canal", " déjà vu au canal "])
def test_a_password_may_be_typed_as_keyboards_do(portal, board, typed):
    board.set_keeper("samira", hashed("déjà vu au canal"))
    assert sign_in(portal, "samira", typed).status_code == 303


def test_the_session_cookie_is_for_the_desk_only(portal):
    cookies = sign_in(portal).headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "Path=/keeper" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert "lea" not in cookie, "it tells nothing of whose it is"
    assert int(re.search(r"^keeper=.*Max-Age=(\d+)", cookies[0])[1]) == LIFE_S == 12 * 3600


def test_a_cookie_is_not_given_again_at_each_page(portal, desk):
    assert "Set-Cookie" not in portal.get("/keeper").headers


# how sessions end

def test_signing_out_ends_the_session_and_copies_of_its_cookie(portal, desk):
    cookie = cookie_of(portal)
    assert opens(portal, cookie)
    assert len(desk("logout").headers.getlist("Set-Cookie")) == 2
    assert not [portal.get_cookie(name, path="/keeper") for name in ("keeper", "keeper-mark")
                if portal.get_cookie(name, path="/keeper")], "nothing of it is left"
    assert not is_in(portal) and not opens(portal, cookie)


def test_signing_in_again_ends_the_session_before(portal, desk):
    cookie = cookie_of(portal)
    sign_in(portal)
    assert cookie_of(portal) != cookie and is_in(portal) and not opens(portal, cookie)


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(portal, watch):
    sign_in(portal)
    for _half_hour in range(23):
        watch.now += 1800
        assert is_in(portal)
    watch.now += LIFE_S - 23 * 1800
    assert not is_in(portal)


def test_a_session_that_is_not_used_ends_sooner(portal, watch):
    sign_in(portal)
    watch.now += IDLE_S - 1
    assert is_in(portal)
    watch.now += IDLE_S
    assert not is_in(portal)


@pytest.mark.parametrize("change", [
    lambda board: board.set_keeper("lea", hashed(NEW)),
    lambda board: board.remove_keeper("lea"),
    lambda board: (board.remove_keeper("lea"), board.set_keeper("lea", hashed(PASSWORD))),
], ids=["another password", "removed", "made again with the same password"])
def test_another_password_and_removal_end_every_session(portal, browser, board, change):
    """As the command line does it while the island runs."""
    sign_in(portal), sign_in(browser)
    cookies = [cookie_of(portal), cookie_of(browser)]
    assert all(opens(portal, cookie) for cookie in cookies)
    change(board)
    assert not any(opens(portal, cookie) for cookie in cookies)


def test_no_session_outlives_a_restart(portal, board, settings):
    sign_in(portal)
    assert not opens(create_app(board, settings).test_client(), cookie_of(portal))


def test_one_keeper_s_forgotten_sessions_take_no_room_from_others(portal, board, watch):
    board.set_keeper("samira", PASSWORD_HASH)
    first = portal.application.test_client()
    sign_in(first, "samira")
    browsers = [portal.application.test_client() for _ in range(MAX_EACH + 3)]
    for one in browsers:
        watch.now += 1
        assert sign_in(one).status_code == 303
    assert [is_in(one) for one in browsers] == [False] * 3 + [True] * MAX_EACH and is_in(first)


@pytest.mark.parametrize("cookie", ["", "x", "é", "x" * 4_000, "eyJuYW1lIjoibGVhIn0.aaaa.bbbb"])
def test_a_made_up_cookie_opens_nothing(portal, desk, cookie):
    assert not opens(portal, cookie.encode("utf-8").decode("latin-1"))


# who guesses

def test_guessing_is_slowed_for_who_guesses_and_nobody_else(portal, watch):
    for number in range(FREE_TRIES):
        assert sign_in(portal, password=f"essai{number}", address=STRANGER).status_code == 403
    early = sign_in(portal, address=STRANGER)
    assert early.status_code == 429 and "lea" in early.get_data(as_text=True), "the name is still there"
    assert "quelques secondes" in words(portal.post("/keeper/login?lang=fr", data={"name": "lea"},
                                                    environ_overrides={"REMOTE_ADDR": STRANGER}))
    assert sign_in(portal, address=KEEPER).status_code == 303
    watch.now += DELAY_S
    assert sign_in(portal, address=STRANGER).status_code == 303, "nobody is locked out"


def test_a_browser_that_was_let_in_is_let_in_again_whoever_guesses_on_its_network(portal, browser, board, settings, watch):
    def guess(client, times=FREE_TRIES + 1):
        return [sign_in(client, password=f"essai{number}").status_code for number in range(times)]

    sign_in(portal)
    watch.now += LIFE_S
    assert not is_in(portal) and guess(browser)[-1] == 429
    assert sign_in(portal).status_code == 303
    watch.now += LIFE_S
    after = create_app(board, settings).test_client()  # a restart
    after.set_cookie("keeper-mark", portal.get_cookie("keeper-mark", path="/keeper").value, path="/keeper")
    assert guess(after.application.test_client())[-1] == 429
    assert sign_in(after).status_code == 303
    assert guess(portal)[-1] == 429, "its own wrong tries cost it as much"


def test_a_mark_is_worth_nothing_for_another_keeper_after_another_password_or_made_up(portal, browser, board):
    board.set_keeper("samira", hashed(NEW))
    sign_in(portal)
    mark = portal.get_cookie("keeper-mark", path="/keeper").value
    for number in range(FREE_TRIES):
        sign_in(browser, password=f"essai{number}")
    assert sign_in(portal, "samira").status_code == 429
    for made_up in ("", "x", mark[:-1], mark + "x"):
        browser.set_cookie("keeper-mark", made_up, path="/keeper")
        assert sign_in(browser).status_code == 429
    board.set_keeper("lea", hashed(PASSWORD))
    assert sign_in(portal).status_code == 429
    assert not opens(portal, mark), "and it opens nothing"


@pytest.mark.parametrize("vary", [
    lambda number: {"name": f"nom{number}"}, lambda number: {"address": f"2001:db8::{number:x}"},
    lambda number: {"headers": {"X-Forwarded-For": f"203.0.113.{number}"}},
], ids=["names", "addresses of one network", "forged headers"])
def test_changing_names_and_forged_addresses_buy_no_tries(portal, vary):
    answers = []
    for number in range(FREE_TRIES + 3):
        told = {"name": "lea", "address": "2001:db8::99", "headers": {}} | vary(number)
        answers.append(portal.post("/keeper/login", data={"name": told["name"], "password": "faux"},
                                   headers=told["headers"], environ_overrides={"REMOTE_ADDR": told["address"]}).status_code)
    assert answers == [403] * FREE_TRIES + [429] * 3


def test_pages_are_shown_while_tries_wait(portal, board):
    board.post(Draft(Kind.BULLETIN, "Bonjour"))
    board.set_keeper("samira", generate_password_hash(NEW))
    with ThreadPoolExecutor(8) as storm:
        tries = [storm.submit(sign_in, portal.application.test_client(), "samira", "faux", f"198.51.100.{number}")
                 for number in range(8)]
        shown = sum("Bonjour" in portal.get("/bulletins").get_data(as_text=True) for _ in range(20))
    assert shown == 20 and {one.result().status_code for one in tries} <= {403, 429}


@pytest.mark.parametrize("guess", ["group", "word", "withdraw"])
def test_a_group_s_passphrase_and_an_edit_code_are_guessed_as_slowly(portal, board, watch, guess):
    add_group(board, "AMAP du canal", bytes([4]) * 32, PASSPHRASE)
    posted = board.post(Draft(Kind.BULLETIN, "Bonjour"))

    def post(secret, address, text="Légumes"):
        page = portal.get("/post").get_data(as_text=True)
        fields = {"token": re.search(r'name="token" value="([^"]+)"', page).group(1), "kind": "bulletin", "text": text}
        path = {"group": "/post", "word": f"/r/{posted.id}/edit", "withdraw": f"/r/{posted.id}/withdraw"}[guess]
        fields |= {"group": "AMAP du canal", "passphrase": secret} if guess == "group" else {"word": secret}
        return portal.post(f"{path}?lang=fr", data=fields | {"action": "withdraw" if guess == "withdraw" else "publish"},
                           environ_overrides={"REMOTE_ADDR": address})

    right = PASSPHRASE if guess == "group" else posted.edit_code
    for number in range(FREE_TRIES):
        assert "quelques secondes" not in words(post(f"essai{number}", STRANGER))
    early = post(right, STRANGER)
    assert early.status_code == 422 and "quelques secondes" in words(early) and board.item(posted.id).text == "Bonjour"
    assert "Légumes" in early.get_data(as_text=True) or guess == "withdraw", "nothing that was typed is lost"
    watch.now += DELAY_S
    assert post(f"essai{number}", STRANGER).status_code == 422 and "quelques secondes" in words(post(right, STRANGER))
    assert sign_in(portal, address=STRANGER).status_code == 429, "it is one visitor, whatever is guessed"
    assert post(right, KEEPER).status_code == 200


# what a keeper changes

def test_a_keeper_changes_the_password_and_goes_on_while_every_other_session_ends(portal, desk, browser):
    sign_in(browser)
    old = cookie_of(portal)
    changed = desk("password", present=PASSWORD, new=NEW, again=NEW)
    assert changed.status_code == 303 and "seul le nouveau" in words(portal.get(f"{changed.location}&lang=fr"))
    assert is_in(portal) and not is_in(browser) and not opens(portal, old)
    assert sign_in(browser, password=PASSWORD).status_code == 403 and sign_in(browser, password=NEW).status_code == 303


@pytest.mark.parametrize(("fields", "said"), [
    ({"present": "faux"}, "mot de passe actuel"), ({"again": "autre chose"}, "pas été tapés"),
    ({"new": "court", "again": "court"}, "plus long"), ({"new": "", "again": ""}, "plus long"),
    ({"new": "lea lea lea lea", "again": "lea lea lea lea"}, "premier"),
    ({"new": "Île du canal 2026", "again": "Île du canal 2026"}, "premier"),
    ({"new": "x" * (MOST + 1), "again": "x" * (MOST + 1)}, "plus court"),
    ({"new": "trois chats\u202enoirs", "again": "trois chats\u202enoirs"}, "invisible"),
])
def test_a_password_that_will_not_do_is_answered_in_a_sentence(portal, desk, board, fields, said):
    answer = desk("password?lang=fr", **{"present": PASSWORD, "new": NEW, "again": NEW} | fields)
    assert answer.status_code in (403, 422) and said in words(answer)
    assert board.password_hash("lea") == PASSWORD_HASH and is_in(portal)


def test_a_wrong_present_password_is_a_wrong_try(desk):
    answers = [desk("password", present=f"essai{number}", new=NEW, again=NEW).status_code
               for number in range(FREE_TRIES + 1)]
    assert answers == [403] * FREE_TRIES + [429]


def test_open_sessions_are_seen_and_ended(portal, desk, browser, board, watch):
    board.set_keeper("samira", PASSWORD_HASH)
    sign_in(browser, "samira")
    watch.now += 1500
    page = portal.get("/keeper/people?lang=fr")
    said = words(page)
    assert "samira" in said and "il y a 25 minutes" in said and "ce navigateur" in said
    assert "127.0.0.1" not in page.get_data(as_text=True)
    labels = re.findall(r'name="label" value="(\w+)"', page.get_data(as_text=True))
    assert len(labels) == 2
    desk("session", label=labels[1])
    assert is_in(portal) and not is_in(browser)
    desk("session", label=labels[0])
    assert not is_in(portal)


def test_a_keeper_lets_another_in_and_removes_them_after_a_second_look(portal, desk, browser, board):
    assert desk("people", name=" Samira  B. ", new=NEW, again=NEW).status_code == 303
    assert sign_in(browser, "Samira B.", NEW).status_code == 303
    asked = portal.get("/keeper/people/remove?lang=fr&name=Samira+B.")
    assert "Samira B." in words(asked) and is_in(browser)
    assert desk("people/remove", name="Samira B.").status_code == 303
    assert board.keepers() == ["lea"] and not is_in(browser)
    assert [(entry.action, entry.keeper, entry.about) for entry in board.audit_log()] == [
        ("keeper-gone", "lea", "Samira B."), ("keeper", "lea", "Samira B.")]
    assert "a supprimé" in words(portal.get("/keeper?lang=fr"))


@pytest.mark.parametrize("name", ["", "--help", "-x", "\u202elea", "a\x00b", "x" * 41, "lea"])
def test_a_name_that_will_not_do_makes_no_keeper(desk, board, name):
    assert desk("people", name=name, new=NEW, again=NEW).status_code in (409, 422)
    assert board.keepers() == ["lea"] and board.password_hash("lea") == PASSWORD_HASH


def test_the_last_keeper_is_told_that_nobody_is_left(portal, desk):
    assert "terminal" in words(portal.get("/keeper/people/remove?lang=fr&name=lea"))
    desk("people/remove", name="lea")
    assert not is_in(portal) and sign_in(portal).status_code == 403


def test_a_group_on_an_island_that_may_not_vouch_is_vouched_for_with_another_key(portal, desk, board):
    answer = desk("groups/new", name="AMAP du canal", new=PASSPHRASE, again=PASSPHRASE)
    page = portal.get(answer.headers["Location"] + "&lang=en")
    fields = dict(re.findall(r'name="(who|name|csrf)"[^>]*value="([^"]*)"', page.get_data(as_text=True)))
    assert "this island may not vouch for it" in words(page) and fields["name"] == "AMAP du canal"
    assert 'name="group" type="checkbox" value="1" checked' in page.get_data(as_text=True)
    fields |= {"group": "1", "key": " ".join(seed_words(bytes([1]) * 32, "fr"))}
    signed = portal.post("/keeper/keys/vouch?lang=en", data=fields)
    assert signed.status_code == 303, words(signed)
    posted = board.post(Draft(Kind.BULLETIN, "Légumes"), "AMAP du canal", PASSPHRASE)
    assert board.item(posted.id).author.name == "AMAP du canal"


@pytest.mark.parametrize(("name", "passphrase", "again"), [
    ("-x", PASSPHRASE, PASSPHRASE), ("", PASSPHRASE, PASSPHRASE), ("Chorale", PASSPHRASE, "autre"),
    ("Chorale", "1234", "1234")])
def test_a_group_that_cannot_be_made_is_told_why_and_its_name_stays_typed(desk, board, name, passphrase, again):
    answer = desk("groups/new", name=name, new=passphrase, again=again)
    assert answer.status_code == 422 and not board.groups() and not board.audit_log()
    assert f'value="{name}"' in answer.get_data(as_text=True)


def test_a_group_s_passphrase_is_changed_and_its_key_stays(portal, desk, board):
    add_group(board, "AMAP du canal", bytes([4]) * 32, PASSPHRASE)
    assert "AMAP du canal" in words(portal.get("/keeper/groups"))
    assert 'name="present"' in portal.get("/keeper/groups?name=AMAP+du+canal").get_data(as_text=True)
    wrong = desk("groups?lang=fr", name="AMAP du canal", present="autre chose", new=NEW, again=NEW)
    assert wrong.status_code == 403 and "phrase" in words(wrong)
    before = board.post(Draft(Kind.BULLETIN, "Légumes"), "AMAP du canal", PASSPHRASE)
    assert desk("groups", name="AMAP du canal", present=PASSPHRASE, new=NEW, again=NEW).status_code == 303
    board.withdraw(before.id, NEW)
    assert board.audit_log()[0].action == "group-passphrase"


def test_a_group_is_removed_after_a_second_look_and_its_posts_stay(portal, desk, board):
    add_group(board, "AMAP du canal", bytes([4]) * 32, PASSPHRASE)
    posted = board.post(Draft(Kind.BULLETIN, "Légumes"), "AMAP du canal", PASSPHRASE)
    assert "clé" in words(portal.get("/keeper/groups/remove?lang=fr&name=AMAP+du+canal"))
    assert portal.get("/keeper/groups/remove?name=personne").status_code == 303
    assert board.groups() == ["AMAP du canal"]
    desk("groups/remove", name="AMAP du canal")
    assert board.groups() == [] and board.item(posted.id).author.name == "AMAP du canal"
    assert board.audit_log()[0].action == "group-gone"


@pytest.mark.parametrize(("path", "fields"), [
    ("groups", {"present": "x", "new": NEW, "again": NEW}), ("groups/remove", {}), ("people/remove", {}),
    ("session", {}),
])
def test_what_is_not_there_is_neither_changed_nor_removed(desk, board, path, fields):
    assert desk(path, name="personne", label="x", **fields).status_code in (303, 404)
    assert board.keepers() == ["lea"] and not board.audit_log()


def test_nobody_else_reaches_these_pages(portal, desk, browser, board):
    add_group(board, "AMAP du canal", bytes([4]) * 32, PASSPHRASE)
    for path in ("people", "groups", "people/remove?name=lea", "groups/remove?name=AMAP+du+canal"):
        assert 'action="/keeper/login' in browser.get(f"/keeper/{path}").get_data(as_text=True)
    for path in ("password", "session", "people", "people/remove", "groups", "groups/new", "groups/remove", "logout"):
        for fields in ({}, {"csrf": csrf_of(portal)}):
            browser.post(f"/keeper/{path}", data={"name": "lea", "new": NEW, "again": NEW, "present": PASSWORD,
                                                  "label": "x"} | fields)
        assert portal.post(f"/keeper/{path}", data={"name": "AMAP du canal"}).status_code == 400
    assert board.keepers() == ["lea"] and board.groups() == ["AMAP du canal"] and is_in(portal)


@pytest.mark.parametrize("path", ["/keeper/acts?lang=ar", "/keeper/settings/wifi", "/keeper/post/0123456789abcdef",
                                  "/keeper/posts?pile=hidden"])
def test_who_signs_in_lands_where_they_were_going_also_after_a_wrong_password(portal, path):
    page = portal.get(path)
    for password, status in (("faux", 403), (PASSWORD, 303)):
        to = html.unescape(re.search(r'name="to" value="([^"]+)"', page.get_data(as_text=True))[1])
        page = portal.post("/keeper/login", data={"name": "lea", "password": password, "to": to})
        assert page.status_code == status
    assert page.headers["Location"] == path


@pytest.mark.parametrize("to", ["https://example.org/keeper/acts", "//example.org/keeper", "/keeper/nothing", "/keeper/../",
                                "/keeperx", "/keeper/logout", "/keeper/\\example.org", "/keeper/acts\r\nSet-Cookie: a=b",
                                "x" * 9_000, "/keeper/login", "/keeper/\x00", "/agenda"])
def test_a_sign_in_leads_to_pages_of_the_desk_only(portal, to):
    answer = portal.post("/keeper/login", data={"name": "lea", "password": PASSWORD, "to": to})
    assert answer.status_code == 303 and answer.headers["Location"] == "/keeper"


def test_what_was_typed_before_the_session_ended_is_still_there_to_be_copied_and_nothing_secret(portal, board, watch):
    desk = desk_of(portal)
    watch.now += IDLE_S + 1
    secret = dict.fromkeys(("password", "passphrase", "key"), "motsecret")
    page = desk("settings/welcome", welcome="Bienvenue au <14> !", why="on déménage", **secret).get_data(as_text=True)
    assert "Bienvenue au &lt;14&gt; !" in page and "on déménage" in page and "motsecret" not in page
    assert not board.welcome() and len(page.encode()) < 13_000
    for much in (4_000, 6_000, 200_000):
        assert len(desk("outline", outline="é" * much).get_data()) < 13_100


def test_what_was_typed_for_an_older_session_or_a_card_that_will_not_keep_it_is_still_there(portal, neighbourhood, board):
    desk = desk_of(portal)
    page = portal.post("/keeper/settings/welcome", data={"csrf": "x", "welcome": "Bienvenue"})
    assert page.status_code == 400 and "Bienvenue" in page.get_data(as_text=True)
    neighbourhood.store.set_notes = unwilling
    page = desk("settings/welcome", welcome="Bienvenue")
    assert page.status_code == 503 and "Bienvenue" in page.get_data(as_text=True)


def unwilling(values):
    """As of a card that is full."""
    raise StoreFailed("disk-full")
