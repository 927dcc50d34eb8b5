"""Two years of virtual time with keepers who come and go: whoever is looked after stays, and nothing ends unseen."""

import pytest

from node.board.keyring import InviteWish, TypedKey, VouchWish
from node.board.keywords import seed_words
from node.board.status import RightsLack
from tests.sim.keepers import DAY_MIN, FOUNDERS, Keepers

pytestmark = pytest.mark.once

STEP_DAYS, DAYS = 10, 740
PAPERS = [TypedKey(" ".join(seed_words(bytes([number]) * 32, tag)))
          for number, tag in ((101, "fr"), (102, "es"), (103, "en"))]


@pytest.fixture
def keepers(tmp_path):
    made = Keepers(tmp_path, FOUNDERS)
    yield made
    made.close()


def look_after(island):
    """What a keeper does who looks at the page of keys: press what it proposes. What they pressed."""
    views = {view.id: view for view in island.keyring.tree()}
    proposed = {view.id for view in views.values() if view.promised}
    ends = {end.id for end in island.keyring.rights().ends if end.renewable and not end.invitation}
    for id_ in proposed | ends:
        island.keyring.vouch(VouchWish(id_, more=frozenset({"vouch"} if id_ in proposed else ())), "lea")
    return [views[id_].name for id_ in sorted(proposed | ends)]


def second_keepers_house(keepers):
    """A new house, let in by the second keeper's island, for a month at first."""
    canal = keepers.islands["Canal"]
    keepers.join("Pont", canal.keyring.invite(InviteWish(days=30), "ana").letters)


def founders_paper_renews_the_first_box(keepers):
    """Typed on another island than the one that is renewed."""
    keepers.islands["Canal"].keyring.vouch(VouchWish("Gare"), "ana", PAPERS[0])


def first_box_is_lost(keepers):
    """Its key is put out with a founder's paper, on the island that is left."""
    canal = keepers.islands["Canal"]
    canal.keyring.revoke(canal.keyring.look("Gare", None, PAPERS[1]).label, "ana")
    keepers.islands.pop("Gare").archive.close()


def founders_paper_renews_what_is_left(keepers):
    """What rested on the lost box rests on a founder again."""
    keepers.islands["Canal"].keyring.vouch(VouchWish("Canal", more=frozenset({"vouch"})), "ana", PAPERS[2])


HAPPENS = {100: second_keepers_house, 150: founders_paper_renews_the_first_box, 300: first_box_is_lost,
           320: founders_paper_renews_what_is_left}


def test_two_years_of_keepers_who_come_and_go(keepers):
    gare = keepers.found_island("Gare", life_h=200 * 24)
    canal = keepers.join("Canal", gare.keyring.invite(InviteWish(days=90, keeper=True), "lea").letters)
    keepers.meet()
    pressed, looked = [], 0
    for day in range(0, DAYS, STEP_DAYS):
        HAPPENS.get(day, lambda keepers: None)(keepers)
        keepers.meet()
        pressed += [name for island in keepers.islands.values() for name in look_after(island)]
        keepers.meet()
        for island in keepers.islands.values():
            assert island.may_write(), (day, island.name)
            looked += 1
        keepers.pass_days(STEP_DAYS)
    assert looked > 150 and {"Canal", "Pont"} <= set(pressed) and len(pressed) < 9, "some presses, not one a week"
    names = {view.name: view for view in canal.keyring.tree()}
    assert names["Gare"].cut is not None and names["Canal"].depth == 1 and canal.keyring.rights().vouches


@pytest.mark.parametrize("days", [90, 365, 730])
def test_an_island_that_nobody_renews_is_told_from_the_sixtieth_day_on_and_so_is_who_can_renew_it(keepers, days):
    gare = keepers.found_island("Gare")
    canal = keepers.join("Canal", gare.keyring.invite(InviteWish(days=days), "lea").letters)
    keepers.meet()
    seen_here, seen_there, looked = [], [], 0
    while canal.may_write():
        left = (canal.keyring.rights().until - keepers.minute) / DAY_MIN
        seen_here += [left] if any(end.here for end in canal.keyring.rights().ends) else []
        seen_there += [left] if any(end.name == "Canal" and end.renewable for end in gare.keyring.rights().ends) else []
        keepers.pass_days(5)
        looked += 1
    assert looked >= days // 5 and seen_here == seen_there and len(seen_here) >= 11 and 54 < seen_here[0] < 60
    assert canal.keyring.rights().lack is RightsLack.ENDED
    assert [end.name for end in gare.keyring.rights().ends] == ["Canal"], "and for a while after"
