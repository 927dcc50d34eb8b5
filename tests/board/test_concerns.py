"""What a keeper should see to is found in the status, with its remedy; a healthy island raises no concern."""

import pytest

from node.board.concerns import TROUBLES, concerns_in
from node.board.drafts import Draft
from node.board.status import RightsLack, as_json
from node.model.clock import minute_of
from node.model.event import DAY_MIN
from node.model.record import Kind, Record, Revocation
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS, Category
from tests.sim.portals import FOUNDER, HERE, START, Neighbourhood
from tests.sim.village import NOW as NOW_S
from tests.sim.village import T0, Village

NOW = 1_500_000
WELL = {
    "clock": {"source": "radio", "sure": True, "now": NOW}, "rights": {"by": ["Café du coin"]}, "erasure_owed_s": None,
    "share": {"records": 10, "of_records": 1_024, "size_bytes": 5_000, "of_bytes": 262_144, "half_ends": NOW + 9 * DAY_MIN},
    "links": [{"name": "radio", "up": True}, {"name": "mqtt", "up": True, "broker": {"verdict": "up"}},
              {"name": "mqtt2", "up": True, "broker": {"verdict": ""}}],
}


def found(**told):
    return {concern.slug: concern for concern in concerns_in({**WELL, **told})}


def test_a_healthy_island_raises_no_concern_nor_does_one_that_tells_less():
    assert found() == {} and list(concerns_in({})) == []


@pytest.mark.parametrize("verdict", TROUBLES)
def test_what_is_the_matter_with_a_broker_is_told_unless_there_is_only_no_network(verdict):
    concern, = found(links=[{"name": "mqtt", "up": True, "broker": {"verdict": verdict}}]).values()
    assert concern.slug == f"broker-{verdict}" and str(TROUBLES[verdict].what) in str(concern.what) and concern.presses
    down = found(links=[{"name": "mqtt", "up": False, "broker": {"verdict": verdict}}])
    assert list(down) == ([] if verdict in {"absent", "unknown", "unavailable"} else [concern.slug])


def test_a_verdict_of_another_version_is_nothing_to_stumble_over():
    assert found(links=[{"name": "mqtt", "up": True, "broker": {"verdict": "made-up"}}]) == {}


def test_a_clock_that_nobody_vouches_for_is_told_with_the_time_it_shows():
    concern, = found(clock={"source": "floor", "sure": False, "told": False, "now": NOW}).values()
    assert concern.slug == "clock-untold" and "2026-11-07 16:00 UTC" in str(concern.what) and not concern.presses


def test_an_island_that_was_not_given_the_sets_new_secret_is_told_how_to_get_it():
    concern, = found(secret={"since": None, "behind": True}).values()
    assert concern.slug == "secret-behind" and concern.presses and "archipel join" in str(concern.remedy)
    assert found(secret={"since": NOW, "behind": False}) == {}


@pytest.mark.parametrize(("days", "slug", "presses"), [
    (61, None, False), (59, "rights-end", False), (13, "rights-end", True),
])
def test_rights_about_to_end_are_told_in_time_and_who_can_renew_them(days, slug, presses):
    told = found(rights={"until": NOW + days * DAY_MIN, "by": ["Café du coin"]})
    assert [*told] == ([slug] if slug else [])
    for concern in told.values():
        assert concern.presses is presses and "Café du coin" in str(concern.remedy)


@pytest.mark.parametrize("lack", [lack for lack in RightsLack if lack])
def test_an_island_that_may_not_write_is_told_why_and_what_mends_it(lack):
    concern, = found(rights={"until": 0, "by": [], "lack": lack}).values()
    assert concern.slug == f"rights-{lack}" and concern.presses and str(concern.remedy)


def test_who_can_renew_an_island_is_named_and_nobody_is_made_up():
    known, = found(rights={"until": 0, "by": ["Café du coin", "Gare"], "lack": "ended"}).values()
    assert "Café du coin, Gare" in str(known.remedy)
    unknown, = found(rights={"until": 0, "by": [], "lack": "unknown"}).values()
    assert "the keeper who let this island in" in str(unknown.remedy)


@pytest.mark.parametrize(("renewable", "remedy"), [(True, "archipel vouch 'Île du lac'"), (False, "Gare")])
def test_a_key_that_ends_soon_is_told_to_who_can_renew_it_and_who_can_if_not(renewable, remedy):
    end = {"id": "ab" * 8, "name": "Île du lac", "until": NOW + 9 * DAY_MIN, "invitation": False, "here": False,
           "renewable": renewable, "by": ["Gare"]}
    concern, = found(rights={"by": [], "ends": [end, {**end, "invitation": True}, {**end, "here": True}]}).values()
    assert concern.slug == "key-ends" and not concern.presses
    assert "2026-11-16" in str(concern.what) and remedy in str(concern.remedy)
    told = [concern for concern in concerns_in({**WELL, "rights": {"by": [], "ends": [end] * 40}})]
    assert len(told) == 4 and "37 more keys" in str(told[-1].what)
    past, = found(rights={"by": [], "ends": [{**end, "until": NOW - 9 * DAY_MIN}]}).values()
    assert "ended" in str(past.what)


@pytest.mark.parametrize(("records", "size_bytes", "presses"), [
    (819, 100, None), (820, 100, False), (1_000, 100, True), (10, 210_000, False), (10, 262_000, True),
])
def test_a_share_that_fills_up_is_told_by_records_and_by_octets_with_the_day_it_eases(records, size_bytes, presses):
    share = {**WELL["share"], "records": records, "size_bytes": size_bytes}
    told = found(share=share)
    assert [concern.presses for concern in told.values()] == ([] if presses is None else [presses])
    for concern in told.values():
        assert concern.slug == "share-near" and "2026-11-16" in str(concern.remedy)


def test_erasing_that_is_overdue_is_told_and_one_that_is_due_is_not():
    assert found(erasure_owed_s=3_600.0) == {}
    concern, = found(erasure_owed_s=5 * 3_600.0).values()
    assert concern.slug == "erasure-overdue" and concern.presses


def test_a_card_that_has_failed_is_told():
    assert found(card_errors=0) == {}
    concern, = found(card_errors=3).values()
    assert concern.slug == "card-errors" and concern.presses and "3 times" in str(concern.what)


def test_an_island_tells_what_its_posts_take_and_until_when_it_may_write(tmp_path):
    place = Neighbourhood(tmp_path)
    before = place.board.status().share
    place.board.post(Draft(Kind.BULLETIN, text="Bonjour"))
    told = place.board.status()
    assert (told.share.records, told.share.of_records) == (before.records + 1, 1_024)
    assert told.share.size_bytes > before.size_bytes and told.share.half_ends > 0
    assert told.rights.until == minute_of(START) + 9_000 * 60
    assert list(concerns_in(as_json(told))) == []
    place.pass_days(9_000 // 24 - 10)
    assert [concern.slug for concern in concerns_in(as_json(place.board.status()))] == ["rights-end"]
    place.archive.close()


def test_an_island_whose_key_was_revoked_is_told(tmp_path):
    place = Neighbourhood(tmp_path)
    place.take(Record(Kind.REVOCATION, FOUNDER.key_id, minute_of(START), 9_000,
                      detail=Revocation(HERE.key_id, minute_of(START))), FOUNDER)
    assert place.board.status().rights.until == 0
    assert [concern.slug for concern in concerns_in(as_json(place.board.status()))] == ["rights-cut"]
    place.archive.close()


def test_half_of_what_an_author_has_here_ends_by_the_middle_of_its_ends():
    village = Village()
    liveset, founder = LiveSet(village.charter), village.key("founder").key_id
    assert liveset.share(founder)[:2] == (0, 0) and liveset.share(founder).half_ends == 0
    raws = [village.bulletin(text=f"n {days}", life=24 * days) for days in (1, 2, 3, 50, 90)]
    liveset.apply(liveset.propose(raws, NOW_S))
    share = liveset.share(founder)
    assert share.records == 5 and share.size_bytes == sum(map(len, raws)) and share.half_ends == T0 + 3 * DAY_MIN
    assert share.limit == LIMITS[Category.POSTS]
