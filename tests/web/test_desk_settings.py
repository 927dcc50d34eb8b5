"""Keepers set their island on pages: what is tried with a way back, what the card sets, what may rest."""

import re
from dataclasses import replace

import pytest

from node.board.api import TOPICS, Draft
from node.board.island_settings import SETTLING_S, TRIAL_S
from node.board.night_rest import Rest, RestPart
from node.board.status import TextsStatus, as_json
from node.daemon.orders import Orders
from node.daemon.settings_keeper import CardLines
from node.daemon.wifi_order import WifiOrders
from node.model.record import Kind
from tests.sim.portals import Neighbourhood, portal_settings, words
from tests.web.test_desk_keys import Browser
from web import create_app
from web.pages import MAX_PAGE_BYTES

PAGES = ("", "/words", "/rules", "/topics", "/wifi", "/radio", "/texts", "/rest", "/loudspeaker")
ON_IMAGE = CardLines("archipel.toml", {}, "Archipel")


class Island(Neighbourhood):
    """One that may be on the SD image, with a card that sets something."""

    def __init__(self, folder, card=ON_IMAGE, image=True):
        super().__init__(folder)
        self.card = card
        self.orders = Orders(folder, frozenset({"wifi"}), self.clock.monotonic)
        self.wifi = WifiOrders(folder, self.orders, "boot") if image else None
        self.restart_board()

    @property
    def desk(self):
        return self.board.settings


@pytest.fixture
def island(tmp_path):
    place = Island(tmp_path)
    yield place
    place.archive.close()


@pytest.fixture
def browser(island):
    return Browser(island)


def test_the_pages_say_how_long_a_trial_is():
    assert TRIAL_S == 600, "ten minutes, as the sentences have it"


def acts(island):
    return [entry.action for entry in island.board.audit_log()]


def test_the_name_is_changed_and_the_island_says_that_it_starts_anew(island, browser):
    browser.get("/keeper/settings")
    browser.follow("Name and words of welcome")
    assert "starts anew for it, by itself" in browser.says
    assert browser.press("Change name, language and time zone", name="Place des Fêtes") == 200
    assert "The island starts anew with them now" in browser.says and "sign in again" in browser.says
    assert (island.anew, island.desk.settings.node.name, acts(island)[0]) == (1, "Place des Fêtes", "settings")


def test_the_time_zone_is_set_on_the_desk_and_one_that_there_is_not_is_refused(island, browser):
    browser.get("/keeper/settings/words")
    assert "Now they show" in browser.says
    assert browser.press("Change name, language and time zone", zone="Paris sur Mer") == 422 and island.anew == 0
    assert browser.press("Change name, language and time zone", zone="Indian/Reunion") == 200
    assert (island.anew, island.desk.settings.node.timezone) == (1, "Indian/Reunion")


def test_hand_held_radios_are_answered_or_not_in_the_keepers_words_and_the_desk_says_what_air_it_takes(island, browser):
    island.host = replace(island.host, texts=TextsStatus(12, 9.6, 62.4))
    browser.get("/keeper/settings")
    assert "hand-held radios are answered" in browser.says
    browser.follow("Text messages")
    assert "In the last hour 12 answers went out, in 10 seconds of air. 62 seconds are left" in browser.says
    assert browser.press("Keep", text_words="agenda") == 422 and "Write other words for what can be asked" in browser.says
    assert browser.press("Keep", texts="no", greeting="Radio Canal", text_words="news = talk", announce="1") == 303
    radio = island.desk.settings.radio
    told = radio.texts, radio.texts_greeting, radio.texts_words, radio.texts_announce
    assert told == (False, "Radio Canal", "news = talk", "1") and island.anew == 0
    browser.get("/keeper/settings")
    assert "hand-held radios are not answered" in browser.says and acts(island)[0] == "settings"


def test_keepers_say_who_may_mark_a_post_as_urgent_and_it_counts_at_once(island, browser):
    asked = island.board._host.urgent
    browser.get("/keeper/settings/rules")
    assert asked() == "keepers" and "Keepers, and groups with that right" in browser.says
    assert browser.press("Keep the rule", urgent="everybody") == 303
    assert asked() == "everybody" and acts(island)[0] == "settings" and island.anew == 0
    assert browser.press("Keep the rule", urgent="nobody") == 422 and "This will not do." in browser.says
    assert asked() == "everybody"


def test_keepers_choose_when_the_agenda_is_read_aloud_and_never_at_night(island, browser):
    browser.get("/keeper/settings")
    assert "Loudspeaker silent" in browser.says
    browser.follow("Loudspeaker")
    assert "sudo apt install espeak-ng opus-tools alsa-utils" in browser.says, "this portal has no voice"
    assert browser.press("Keep", loudspeaker="9h, 23:00") == 422 and "9h, 23:00" in browser.page
    assert "Write hours from 7:00 to 21:59" in browser.says and not island.desk.settings.portal.loudspeaker
    assert browser.press("Keep", loudspeaker="18h30, 9") == 303
    assert island.desk.settings.portal.loudspeaker == "9:00, 18:30" and island.anew == 0
    browser.get("/keeper/settings")
    assert "reads the agenda aloud at 9:00, 18:30" in browser.says


def test_a_name_that_will_not_do_is_answered_with_what_to_write_and_stays_typed(island, browser):
    browser.get("/keeper/settings/words")
    assert browser.press("Change name, language and time zone", name=" ") == 422
    assert "Write a name of 1 to 40 characters" in browser.says and island.anew == 0


def test_words_of_welcome_stand_on_the_first_page_as_text_and_nothing_more(island, browser):
    browser.get("/keeper/settings/words")
    browser.press("Keep the words", welcome="Bienvenue au 14 !\r\n\r\n<b>Réunion</b> le mardi. https://example.org/")
    page = browser.portal.get("/").get_data(as_text=True)
    assert "Bienvenue au 14 !" in page and "&lt;b&gt;Réunion" in page and 'rel="nofollow' in page
    assert "Bienvenue" in browser.portal.get("/hello").get_data(as_text=True)
    assert browser.press("Keep the words", welcome="x" * 601) == 422 and "x" * 601 in browser.page
    assert browser.press("Keep the words", welcome="a\u202eb") == 422
    browser.get("/keeper/settings/words")
    browser.press("Keep the words", welcome="")
    assert "Bienvenue" not in browser.portal.get("/").get_data(as_text=True)
    assert acts(island)[:2] == ["welcome", "welcome"]


def test_the_topics_that_are_offered_stand_in_the_order_of_their_numbers(island, browser):
    island.bulletin("Une vieille annonce de logement", 6)
    browser.get("/keeper/settings/topics")
    fields = {f"topic{number}": "" for number in TOPICS} | {"topic4": "1", "topic13": "2", "topic1": "2"}
    assert browser.press("Keep the topics", **fields) == 303
    assert island.board.topics() == [4, 1, 13, 0]
    form = browser.portal.get("/post?lang=en").get_data(as_text=True)
    offered = re.findall(r'<option value="([a-z-]+)"', form.partition('id="topic"')[2].partition("</select>")[0])
    assert offered == ["food", "demonstration", "energy-water", "other"]
    home = browser.portal.get("/?lang=en").get_data(as_text=True)
    assert "Housing" in home and '/topics/housing"' not in home.replace("?lang=en", "")
    assert browser.portal.get("/topics/housing").status_code == 200
    browser.get("/keeper/settings/topics")
    assert browser.press("Keep the topics", topic4="premier") == 422 and 'value="premier"' in browser.page
    browser.get("/keeper/settings/topics")
    browser.press("Keep the topics", **{f"topic{number}": "" for number in TOPICS})
    assert len(island.board.topics()) == len(TOPICS)


def test_a_post_under_a_topic_that_is_offered_no_more_keeps_it_when_it_is_corrected(island, browser):
    post = island.board.post(Draft(Kind.BULLETIN, "Un toit", topic=6))
    island.board.set_topics([4], "lea")
    form = browser.portal.get(f"/r/{post.id[:12]}/edit").get_data(as_text=True)
    assert re.search(r'<option value="housing" selected', form)


def test_who_may_post_and_the_length_of_the_archive_are_changed_at_once(island, browser):
    browser.get("/keeper/settings/rules")
    assert browser.press("Keep", posting="moderated") == 303
    assert island.board.posting_rule() == "moderated"
    assert browser.portal.post("/keeper/settings/archive", data={"csrf": csrf(browser), "days": "2 ans"}).status_code == 303
    assert (island.desk.settings.archive.keep_days, island.anew) == (730, 0)
    assert browser.portal.post("/keeper/settings/archive", data={"csrf": csrf(browser), "days": "x"}).status_code == 422


def test_a_shorter_archive_is_read_twice_as_what_is_forgotten_does_not_come_back(island, browser):
    browser.get("/keeper/settings/rules")
    for days, told in (("0", "All that has ended would be forgotten"), ("30", "What ended before 1 November 2025")):
        answer = browser.portal.post("/keeper/settings/archive?lang=en", data={"csrf": csrf(browser), "days": days})
        browser.page = answer.get_data(as_text=True)
        assert told in browser.says and island.desk.settings.archive.keep_days == 365
    assert browser.press("Yes, forget it") == 303
    assert island.desk.settings.archive.keep_days == 30 and acts(island) == ["settings"]


def csrf(browser):
    return re.search(r'name="csrf" value="([^"]+)"', browser.page)[1]


def test_new_settings_of_the_wifi_are_kept_on_the_page_once_it_comes_again(island, browser):
    browser.get("/keeper/settings/wifi")
    assert "come back by themselves" in browser.says and "By cable nothing changes" in browser.says
    status = browser.press("Try these settings", wifi="Canal", access="closed", password="soupe et pain", country="France",
                           channel="11")
    assert status == 200 and "within ten minutes" in browser.says and "soupe et pain" not in browser.page
    browser.get("/keeper")
    browser.follow("Settings")
    assert "on trial" in browser.says and "Keep the new settings" not in browser.says and "just begun" in browser.says
    island.clock.advance(SETTLING_S)
    browser.get("/keeper/settings")
    assert browser.press("Keep the new settings") == 303
    box = island.desk.settings.box
    assert (box.country, box.wifi_password, box.channel) == ("FR", "soupe et pain", 11)
    assert acts(island)[:2] == ["settings-kept", "settings-trial"]


def test_a_keeper_takes_a_trial_back_or_comes_too_late(island, browser):
    browser.get("/keeper/settings/wifi")
    browser.press("Try these settings", wifi="Canal", access="open", country="FR", channel="1")
    browser.get("/keeper/settings")
    assert browser.press("Take them back now") == 303 and island.desk.settings.box.country == ""
    browser.get("/keeper/settings/wifi")
    browser.press("Try these settings", wifi="Canal", access="open", country="FR", channel="1")
    island.clock.advance(SETTLING_S)
    browser.get("/keeper/settings")
    late = browser.page
    island.clock.advance(TRIAL_S)
    island.desk.look()
    browser.page = late
    assert browser.press("Keep the new settings") == 422 and "the earlier settings are back" in browser.says


def test_an_empty_password_leaves_the_one_there_is_and_open_takes_it_away(island, browser):
    def try_it(**typed):
        browser.get("/keeper/settings/wifi")
        status = browser.press("Try these settings", **{"wifi": "Canal", "country": "FR", "channel": "6", **typed})
        island.clock.advance(SETTLING_S)
        island.desk.keep("lea")
        return status, island.desk.settings.box.wifi_password

    assert try_it(access="closed", password="") == (422, "")
    assert "Give the password" in browser.says and 'value="Canal"' in browser.page
    assert try_it(access="closed", password="soupe et pain") == (200, "soupe et pain")
    assert try_it(access="closed", password="", channel="1") == (200, "soupe et pain")
    assert try_it(access="open", password="", channel="1") == (200, "")
    assert try_it(access="closed", password="court") == (422, "")


def test_the_radio_is_set_on_trial_and_the_island_starts_anew_for_it(island, browser):
    browser.get("/keeper/settings/radio")
    assert browser.press("Try these settings", share="2,5", region="EU_868", max_payload="200") == 200
    assert island.anew == 1 and "within ten minutes" in browser.says
    radio = island.desk.settings.radio
    assert (radio.share, radio.region, radio.max_payload) == (2.5, "EU_868", 200)
    browser.get("/keeper/settings")
    assert browser.press("Take them back now") == 200 and island.anew == 2 and "starts anew" in browser.says


def test_what_the_card_sets_is_shown_with_its_line_instead_of_a_field(tmp_path):
    lines = {"node name": 3, "portal posting": 31, "box country": 12, "box wifi_password": 14, "radio share": 40,
             "archive keep_days": 50}
    island = Island(tmp_path, CardLines("archipel.toml", lines, "La carte"))
    browser = Browser(island)
    browser.get("/keeper/settings")
    assert browser.says.count("(set on the card)") == 3
    for page, line, field in (("words", 3, "name"), ("rules", 31, "posting"), ("rules", 50, "days"),
                              ("wifi", 12, "country"), ("wifi", 14, "password"), ("radio", 40, "share")):
        browser.get(f"/keeper/settings/{page}")
        assert f", line {line}. To set it here, put # in front" in browser.says
        assert bool(re.search(rf'name="{field}"', browser.page)) is (field == "posting"), field
    answer = browser.portal.post("/keeper/settings/name", data={"csrf": csrf(browser), "name": "open"})
    assert answer.status_code == 422
    assert "settings" not in acts(island)
    island.archive.close()


def test_outside_the_image_the_wifi_is_not_ours_and_the_page_says_so(tmp_path):
    island = Island(tmp_path, image=False)
    browser = Browser(island)
    assert "not Archipel’s to set" in browser.get("/keeper/settings/wifi") and "Try these settings" not in browser.page
    browser.get("/keeper/settings/rest")
    assert 'name="wifi_on"' not in browser.page and 'name="portal_on"' in browser.page
    answer = browser.portal.post("/keeper/settings/wifi", data={"csrf": csrf(browser), "wifi": "x", "access": "open"})
    assert answer.status_code == 422
    night = {"wifi_on": "1", "wifi_begin": "22:00", "wifi_end": "7:00", "wifi_0": "1"}
    assert browser.portal.post("/keeper/settings/rest", data={"csrf": csrf(browser), **night}).status_code == 422
    assert island.board.rests() == {}
    island.archive.close()


def test_rests_are_planned_each_with_its_hours_and_days(island, browser):
    browser.get("/keeper/settings/rest")
    days = {f"portal_{day}": "1" for day in (4, 5)}
    everyday = {f"wifi_{day}": "1" for day in range(7)}
    browser.portal.post("/keeper/settings/rest", data={
        "csrf": csrf(browser), "portal_on": "1", "portal_begin": "22h", "portal_end": "7:30", **days,
        "wifi_on": "1", "wifi_begin": "00:00", "wifi_end": "06:00", **everyday, "radio_begin": "22:00"})
    assert island.board.rests() == {RestPart.PORTAL: Rest(1320, 450, frozenset({4, 5})), RestPart.WIFI: Rest(0, 360)}
    browser.get("/keeper/settings/rest")
    assert 'value="07:30"' in browser.page and re.search(r'name="portal_5"[^>]*checked', browser.page)
    assert not re.search(r'name="portal_6"[^>]*checked', browser.page)
    browser.portal.post("/keeper/settings/rest", data={"csrf": csrf(browser)})
    assert island.board.rests() == {} and acts(island)[:2] == ["rests", "rests"]


@pytest.mark.parametrize(("begin", "end", "days"), [
    ("22:00", "22:00", "3"), ("", "7:00", "3"), ("25:00", "7:00", "3"), ("minuit", "7:00", "3"), ("22:00", "07:00", "")])
def test_a_rest_without_an_end_or_a_day_is_refused_and_stays_typed(island, browser, begin, end, days):
    browser.get("/keeper/settings/rest")
    answer = browser.portal.post("/keeper/settings/rest?lang=en", data={
        "csrf": csrf(browser), "portal_on": "1", "portal_begin": begin, "portal_end": end,
        **{f"portal_{day}": "1" for day in days}})
    assert answer.status_code == 422 and "Give each rest a beginning" in words(answer)
    page = answer.get_data(as_text=True)
    assert island.board.rests() == {} and f'name="portal_begin" type="time" value="{begin}"' in page
    assert re.search(r'name="portal_on"[^>]*checked', page) and not re.search(r'name="portal_5"[^>]*checked', page)


@pytest.mark.parametrize("lang", ["fr", "en", "es", "ar"])
def test_every_page_fits_in_every_language_with_everything_set(island, browser, lang):
    long = "و" * 200 if lang == "ar" else "Été " * 50
    island.board.set_welcome(long, "lea")
    island.board.set_rests({part: Rest(1320, 420) for part in RestPart}, "lea")
    browser.get("/keeper/settings/wifi")
    browser.press("Try these settings", wifi="Canal", access="open", country="FR", channel="1")
    for path in PAGES:
        page = browser.get(f"/keeper/settings{path}", lang)
        assert f'lang="{lang}"' in page


def test_a_visitor_sees_and_sets_nothing(island):
    portal = create_app(island.board, portal_settings()).test_client()
    for path in PAGES:
        assert 'type="password"' in portal.get(f"/keeper/settings{path}").get_data(as_text=True)
    for path in ("name", "welcome", "posting", "archive", "topics", "wifi", "radio", "rest", "keep", "back"):
        fields = {"name": "x", "welcome": "x", "posting": "members", "share": "9"}
        answer = portal.post(f"/keeper/settings/{path}", data=fields)
        assert len(answer.get_data()) < MAX_PAGE_BYTES
    assert acts(island) == [] and island.anew == 0


def on_card(tmp_path, rule):
    island = Island(tmp_path, CardLines("archipel.toml", {"portal posting": 31}, ""))
    island.rule = rule
    island.restart_board()
    return island, Browser(island)


def test_in_a_flood_keepers_close_the_door_further_than_the_card_until_the_next_start(tmp_path):
    island, browser = on_card(tmp_path, "open")
    browser.get("/keeper/settings/rules")
    assert "until the island starts again" in browser.says and ", line 31." in browser.says
    assert browser.press("Keep", posting="members", why="un flot d’insultes") == 303
    assert island.board.posting_rule() == "members"
    act, = island.board.audit_log()
    assert (act.action, act.about, act.keeper, act.why) == ("posting", "members", "lea", "un flot d’insultes")
    for page in ("/keeper", "/keeper/settings"):
        assert ("until the" in browser.get(page).lower() and "starts" in browser.page) or "start)" in browser.page
    island.restart_board()
    assert island.board.posting_rule() == "open", "the card's rule counts again"
    island.archive.close()


def test_a_keeper_opens_the_door_again_as_far_as_the_card_does_and_no_further(tmp_path):
    island, browser = on_card(tmp_path, "moderated")
    browser.get("/keeper/settings/rules")
    assert 'value="open"' not in browser.page.partition("<main")[2]
    assert browser.press("Keep", posting="members") == 303
    browser.get("/keeper/settings/rules")
    assert browser.press("Keep", posting="open") == 422 and island.board.posting_rule() == "members"
    assert browser.press("Keep", posting="moderated") == 303 and island.board.posting_rule() == "moderated"
    assert "stricter than the card" not in browser.get("/keeper")
    island.archive.close()


def test_behind_a_door_that_the_card_has_closed_there_is_nothing_to_choose(tmp_path):
    island, browser = on_card(tmp_path, "members")
    page = browser.get("/keeper/settings/rules")
    assert 'name="posting"' not in page and ", line 31." in browser.says
    island.archive.close()


def test_a_trial_is_told_on_the_desk_to_keepers_and_nowhere_to_visitors(island, browser):
    browser.get("/keeper/settings/wifi")
    browser.press("Try these settings", wifi="Le quai", country="FR")
    browser.get("/keeper")
    assert "New settings of the Wi-Fi are on trial" in browser.says.replace("new s", "New s")
    assert '<a dir="ltr" href="/keeper/settings?lang=en">' in browser.page
    assert as_json(island.board.status())["trial"] == {"group": "wifi", "left_s": TRIAL_S}
    for path in ("/", "/radio", "/radio.csv"):
        assert "trial" not in browser.portal.get(f"{path}?lang=en").get_data(as_text=True), path
