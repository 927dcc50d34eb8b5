"""Pages are made once and kept until something changes."""

import re
import threading
from pathlib import Path

import pytest

import web
from node.board.api import Draft
from node.model.clock import ManualClock
from node.model.record import Kind
from tests.sim.portals import portal_settings
from web.pages import HEAVIEST_KEPT_BYTES, KEPT_BYTES, KEPT_PAGES, LONGEST_KEPT_ADDRESS, Made, PageCache
from web.start import create_start

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"

STAMPS = [((number,), (0,)) for number in range(8)]  # of a board that others change, and nobody here


def test_every_address_that_a_template_asks_for_by_name_exists(portal):
    first_start = create_start(None, portal_settings())
    known = {rule.endpoint for app in (portal.application, first_start) for rule in app.url_map.iter_rules()}
    asked = {name for path in TEMPLATES.rglob("*.html")
             for name in re.findall(r"""url_for\(["']([\w.]+)["']""", path.read_text(encoding="utf-8"))}
    assert len(asked) > 25 and asked <= known


def test_a_secret_that_is_typed_is_not_seen_on_the_screen():
    fields = [tag for path in TEMPLATES.rglob("*.html") if path.name != "settings_wifi.html"  # which is for all to know
              for tag in re.findall(r"<input\b[^>]*>", path.read_text("utf-8"))]
    wanted = re.compile(r'autocomplete="[^"]*(password|\{\{ filled)|name="pass(word|phrase)"')
    secret = [tag for tag in fields if wanted.search(tag)]
    assert len(secret) >= 8 and [tag for tag in secret if 'type="password"' not in tag] == []


def test_an_address_typed_with_a_stroke_at_its_end_is_the_same_page(portal):
    for address in ("/agenda", "/keeper", "/post", "/bulletins"):
        assert (portal.get(f"{address}/").status_code, portal.get(address).status_code) == (200, 200), address


@pytest.mark.parametrize("address", ["/", "/nowhere", "/keeper", "/feed.atom", "/agenda.ics", "/map.svg", "/take"])
def test_every_answer_says_what_a_browser_may_do_with_it(portal, address):
    headers = portal.get(address).headers
    policy = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {"default-src": "'none'", "img-src": "'self' data:", "form-action": "'self'", "base-uri": "'none'",
                      "frame-ancestors": "'none'"}
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert "Accept-Language" in headers["Vary"]


def test_a_new_post_shows_at_once(portal, board):
    portal.get("/bulletins")
    board.post(Draft(Kind.BULLETIN, "Tout neuf"))
    assert "Tout neuf" in portal.get("/bulletins").get_data(as_text=True)


def test_a_page_is_made_once_while_nothing_changes_and_languages_are_kept_apart(portal, board):
    asked = []
    board.bulletins, bulletins = lambda *a, **k: asked.append(1) or bulletins(*a, **k), board.bulletins
    for _ in range(5):
        portal.get("/bulletins", headers={"Accept-Language": "fr"})
    made = len(asked)
    assert "Annonces" in portal.get("/bulletins", headers={"Accept-Language": "fr"}).get_data(as_text=True)
    assert len(asked) == made
    assert "Bulletins" in portal.get("/bulletins", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert len(asked) > made


def test_a_page_whose_links_begin_elsewhere_is_kept_for_nobody_else(portal):
    here = portal.get("/bulletins").get_data(as_text=True)
    for invented in ({"SCRIPT_NAME": "//evil.example"}, {"wsgi.url_scheme": "gopher"}, {"HTTP_HOST": "evil.example"}):
        portal.get("/agenda", environ_overrides=invented)
        portal.get("/feed.atom", environ_overrides=invented)
    odd = portal.get("/bulletins", environ_overrides={"SCRIPT_NAME": "//evil.example"})
    assert "evil.example" in odd.get_data(as_text=True)
    assert portal.get("/bulletins").get_data(as_text=True) == here
    for path in ("/agenda", "/feed.atom"):
        assert not re.search("evil.example|gopher:", portal.get(path).get_data(as_text=True))


def test_who_has_the_page_gets_304_until_it_changes(portal, board):
    tag = portal.get("/bulletins").headers["ETag"]
    assert portal.get("/bulletins", headers={"If-None-Match": tag}).status_code == 304
    board.post(Draft(Kind.BULLETIN, "Tout neuf"))
    assert portal.get("/bulletins", headers={"If-None-Match": tag}).status_code == 200


def test_kept_pages_are_bounded():
    cache = PageCache()
    for number in range(KEPT_PAGES * 2):
        cache.page((number,), STAMPS[0], lambda: Made("page", 1))
    made = []
    cache.page((0,), STAMPS[0], lambda: made.append(1) or Made("page", 1))
    cache.page((KEPT_PAGES * 2 - 1,), STAMPS[0], lambda: made.append(2) or Made("page", 1))
    assert made == [1]


def test_while_a_page_is_made_anew_others_get_it_as_it_was():
    cache, entered, go = PageCache(), threading.Event(), threading.Event()
    cache.page(("/",), STAMPS[0], lambda: Made("old", 1))

    def slow():
        entered.set()
        go.wait(60)
        return Made("new", 1)

    maker = threading.Thread(target=cache.page, args=(("/",), STAMPS[1], slow))
    maker.start()
    assert entered.wait(60)
    assert cache.page(("/",), STAMPS[1], lambda: "never") == "old"
    go.set()
    maker.join()
    assert cache.page(("/",), STAMPS[1], lambda: "never") == "new"


def test_while_records_stream_in_a_page_is_made_anew_twice_a_second_and_at_once_for_what_is_done_here():
    clock, made = ManualClock(), []
    cache = PageCache(clock.monotonic)

    def ask(theirs, ours=0):
        return cache.page(("/",), ((theirs, ours), (ours,)), lambda: made.append(theirs) or Made(f"{theirs} {ours}", 1))

    assert [ask(number) for number in range(5)] == ["0 0", "1 0", "1 0", "1 0", "1 0"]
    assert ask(5, ours=1) == "5 1" and ask(5, ours=1) == "5 1"
    clock.advance(0.9)
    assert ask(6, ours=1) == "5 1"
    clock.advance(0.2)
    assert ask(7, ours=1) == "7 1" and ask(8, ours=1) == "8 1" and ask(9, ours=1) == "8 1"
    assert made == [0, 1, 5, 7, 8]


def test_what_is_done_here_changes_the_own_revision_and_what_comes_from_elsewhere_does_not(neighbourhood, board):
    mine, seen = board.post(Draft(Kind.BULLETIN, "Le mien")).id, [board.own_revision()]
    for act in (lambda: board.post(Draft(Kind.BULLETIN, "Encore un")),
                lambda: board.hide(mine[:16], True, "lea"), lambda: board.hide(mine[:16], False, "lea"),
                lambda: board.withdraw_as_keeper(mine, "lea")):
        neighbourhood.bulletin(f"Ailleurs {len(seen)}")
        assert board.own_revision() == seen[-1]
        act()
        seen.append(board.own_revision())
    assert len(set(seen)) == 5


def test_whoever_posts_sees_it_on_the_next_page_while_others_posts_stream_in(neighbourhood, portal, board):
    for number in range(6):
        neighbourhood.bulletin(f"Ailleurs {number}")
        portal.get("/bulletins")
    board.post(Draft(Kind.BULLETIN, "Le mien"))
    assert "Le mien" in portal.get("/bulletins").get_data(as_text=True)


def test_no_page_waits_for_another_and_who_asks_for_the_same_waits_for_it():
    cache, entered, go, told = PageCache(), threading.Event(), threading.Event(), []

    def slow():
        entered.set()
        go.wait(60)
        return Made("slow", 1)

    threads = [threading.Thread(target=lambda: told.append(cache.page(("/agenda",), STAMPS[0], slow))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert entered.wait(60)
    assert cache.page(("/topics/food",), STAMPS[0], lambda: Made("quick", 1)) == "quick" and not told
    go.set()
    for thread in threads:
        thread.join()
    assert told == ["slow"] * 3


def test_a_page_that_could_not_be_made_fails_for_those_who_waited_and_is_made_the_next_time():
    cache = PageCache()

    def broken():
        raise LookupError

    with pytest.raises(LookupError):
        cache.page(("/",), STAMPS[0], broken)
    assert cache.page(("/",), STAMPS[0], lambda: Made("page", 1)) == "page"


def test_what_is_heavy_or_not_whole_is_not_kept_and_all_that_is_kept_is_bounded_in_octets():
    cache, made = PageCache(), []
    for size, whole in ((HEAVIEST_KEPT_BYTES + 1, True), (1, False)):
        for _ in range(2):
            cache.page(("/",), STAMPS[0], lambda size=size, whole=whole: made.append(size) or Made("page", size, whole))
    assert len(made) == 4
    for number in range(2 * KEPT_BYTES // HEAVIEST_KEPT_BYTES):
        cache.page((number,), STAMPS[0], lambda: Made("heavy", HEAVIEST_KEPT_BYTES))
    cache.page((0,), STAMPS[0], lambda: made.append(0) or Made("page", 1))
    assert made[-1] == 0


def test_what_is_carried_from_link_to_link_is_one_of_what_there_is(portal):
    carried = portal.get("/?size=large&lang=es").get_data(as_text=True)
    made_up = portal.get("/?size=enormous&lang=klingon").get_data(as_text=True)
    assert 'href="/bulletins?lang=es&amp;size=large"' in carried and 'href="/bulletins"' in made_up


def test_a_title_runs_in_its_own_direction_wherever_it_is_listed(portal, board, neighbourhood):
    for minutes in (60, 600):
        start = board.now() + minutes
        posted = board.post(Draft(Kind.EVENT, title=f"اجتماع {minutes}", topic=2, start=start, end=start + 60))
    board.post(Draft(Kind.REPLY, "اجتماع؟ نعم", target=posted.id))
    neighbourhood.clock.advance(121 * 60)  # the first one is over, and told briefly
    board.post(Draft(Kind.BULLETIN, "اجتماع غدا (18 h)", 1, 2))
    for path, least in (("/", 3), ("/bulletins", 1), ("/agenda", 1), ("/topics/meeting", 2), (f"/r/{posted.id[:12]}", 2)):
        head, _, shown = portal.get(f"{path}?lang=fr").get_data(as_text=True).partition("<body")
        assert len(re.findall(">اجتماع", shown)) >= least, path
        briefly = re.findall(r'<ul class="l B">.*?</ul>', shown, re.DOTALL)  # one rule of style says it for all of these
        assert not briefly or ".B a{unicode-bidi:plaintext}" in head, path
        around = re.findall(r"<(\w+)([^>]*)>اجتماع", re.sub(r'<ul class="l B">.*?</ul>', "", shown, flags=re.DOTALL))
        assert not [tag for tag, told in around if tag != "bdi" and 'dir="auto"' not in told], path


def test_a_page_of_an_address_that_somebody_made_up_is_not_kept(portal, board):
    asked = []
    board.bulletins, bulletins = lambda *a, **k: asked.append(1) or bulletins(*a, **k), board.bulletins
    for address in (f"/bulletins?after={'x' * LONGEST_KEPT_ADDRESS}", "/bulletins"):
        portal.get(address)
        made = len(asked)
        assert portal.get(address).status_code == 200 and (len(asked) == made) is (address == "/bulletins")


def test_no_template_is_left_that_nothing_shows():
    folder = Path(web.__file__).parent
    code = " ".join(path.read_text() for path in (*folder.rglob("*.py"), *folder.rglob("*.html")))
    templates = [path.relative_to(folder / "templates") for path in (folder / "templates").rglob("*.html")]
    assert len(templates) > 40
    named = [path for path in templates if path.name in code or (path.parent.name and f'"{path.stem}"' in code)]
    assert named == templates
