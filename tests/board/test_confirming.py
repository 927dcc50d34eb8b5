"""What is urgent is one island's word until as many others say so too: counted by key, of one version, never by who."""

from dataclasses import replace

import pytest

from node.board.alerts import Alert
from node.board.api import Draft, DraftRefused, Overtaken
from node.board.confirming import CONFIRMED_A_DAY
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Revocation, Right
from tests.sim.places import ELSEWHERE, FOUNDER, GROUP, HERE, START, Place, event

THIRD, FOURTH = (SigningKey(bytes([number]) * 32) for number in (5, 6))


@pytest.fixture
def urgent(place):
    """The id of what École, another island, marks as urgent."""
    for key, name in ((THIRD, "Gare"), (FOURTH, "Port")):
        place.let_in(key, Right.WRITE, name)
    return alarm(place)


def alarm(place, text="Coupure d'eau", key=ELSEWHERE, **fields):
    record = Record(Kind.BULLETIN, key.key_id, place.minute, 24, True, packed=text.encode(), **fields)
    return place.take(record, key).id.hex()


def by(place, item_id):
    """The islands that confirm it, how many are needed, and whether that is enough."""
    told = place.board.item(item_id).confirmed
    return [author.name for author in told.by], told.needed, told.enough


def acts(place):
    return [entry.action for entry in place.board.audit_log()]


def reasons(call, *arguments):
    with pytest.raises(DraftRefused) as refused:
        call(*arguments)
    return [problem.code.value for problem in refused.value.problems]


def test_it_is_not_confirmed_until_two_other_islands_say_so(place, urgent):
    assert by(place, urgent) == ([], 2, False)
    place.board.confirm(urgent, "lea")
    assert by(place, urgent) == (["Café"], 2, False)
    place.confirm(THIRD, urgent)
    assert by(place, urgent) == (["Café", "Gare"], 2, True)
    assert [(entry.keeper, entry.action) for entry in place.board.audit_log()] == [("lea", "confirm")]


def test_a_confirmation_is_89_octets_ends_with_its_post_and_names_no_keeper(place, urgent):
    place.board.confirm(urgent, "lea")
    (raw,) = (raw for id_ in place.liveset.ids() if (raw := place.liveset.raw(id_)) and raw[0] & 15 == Kind.CONFIRMATION)
    kept = next(place.liveset.get(id_) for id_ in place.liveset.ids() if place.liveset.raw(id_) == raw)
    item = place.board.item(urgent)
    assert len(raw) == 89 and b"lea" not in raw and item.expires <= kept.expires < item.expires + 60


def test_taking_it_back_counts_at_once_leaves_one_record_and_can_be_undone(place, urgent):
    for holds, names in ((True, ["Café"]), (False, []), (True, ["Café"]), (False, [])):
        place.board.confirm(urgent, "lea", holds)
        assert by(place, urgent)[0] == names and place.board.confirms(place.board.item(urgent)) == holds
        said = [one for one in map(place.liveset.get, place.liveset.ids()) if one.kind is Kind.CONFIRMATION]
        assert len(said) == 1, "what was said before is gone"
    assert acts(place) == ["confirm-back", "confirm"] * 2
    place.board.confirm(urgent, "lea", False)
    assert len(acts(place)) == 4, "nothing was to be taken back"


def test_its_author_never_counts_nor_a_group_nor_the_same_island_twice(place, urgent):
    place.confirm(ELSEWHERE, urgent)
    place.confirm(GROUP, urgent)
    place.confirm(THIRD, urgent)
    place.clock.advance(120)
    place.confirm(THIRD, urgent)
    assert by(place, urgent) == (["Gare"], 2, False)


def test_who_is_let_in_by_nobody_or_revoked_does_not_count(place, urgent):
    stranger = SigningKey(bytes([9]) * 32)
    with pytest.raises(AssertionError, match="penned"):
        place.confirm(stranger, urgent)
    place.confirm(THIRD, urgent)
    place.confirm(FOURTH, urgent)
    assert by(place, urgent)[2]
    place.take(Record(Kind.REVOCATION, FOUNDER.key_id, place.minute, 900, detail=Revocation(THIRD.key_id, place.minute)),
               FOUNDER)
    assert by(place, urgent) == (["Port"], 2, False)


def test_corrected_words_are_confirmed_anew(place, urgent):
    place.confirm(THIRD, urgent)
    place.board.confirm(urgent, "lea")
    assert by(place, urgent)[2]
    place.clock.advance(60)
    corrected = alarm(place, "Coupure d'eau jusqu'à lundi", target=bytes.fromhex(urgent)[:8])
    assert by(place, urgent) == ([], 2, False)
    with pytest.raises(Overtaken):
        place.board.confirm(urgent, "lea", True, "", urgent)
    place.board.confirm(urgent, "lea", True, "", corrected)
    assert by(place, urgent) == (["Café"], 2, False)


def test_only_what_is_urgent_of_others_and_in_force_is_to_be_confirmed(place, urgent):
    calm = place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=b"Marche"), ELSEWHERE).id.hex()
    place.let_in(HERE, Right.WRITE | Right.URGENT, "Café")
    own = place.board.post(Draft(Kind.BULLETIN, "Fuite", urgent=True)).id
    for item_id in (calm, own):
        assert reasons(place.board.confirm, item_id, "lea") == ["not-to-confirm"]
    assert place.board.item(calm).confirmed is None and by(place, own) == ([], 2, False)
    assert reasons(place.board.confirm, "00" * 8, "lea") == ["target-gone"]
    place.take(Record(Kind.CANCELLATION, ELSEWHERE.key_id, place.minute, 24, target=bytes.fromhex(urgent)[:8]), ELSEWHERE)
    assert place.board.item(urgent).met and place.board.item(urgent).confirmed is None, "it is over"
    assert reasons(place.board.confirm, urgent, "lea") == ["not-to-confirm"]


def test_an_official_alert_keeps_its_issuers_word_alone(place):
    alert = Alert("Météo", "veille@meteo.exemple", "1", "2025-12-01T08:00:00+01:00",
                  ("Alert", "Met", "Expected", "Severe", "Likely"), 1_010_000, "orages", "Paris")
    record = place.board.compose(Draft(Kind.BULLETIN, "Météo: orages", topic=12, alert=alert)).record
    item_id = place.take(replace(record, author=ELSEWHERE.key_id, urgent=True), ELSEWHERE).id.hex()
    assert place.board.item(item_id).confirmed is None and place.board.to_confirm(9) == []


def test_an_urgent_event_that_is_cancelled_is_no_more_to_be_confirmed(place, urgent):
    draft = place.board.compose(event(place)).record
    item_id = place.take(replace(draft, author=ELSEWHERE.key_id, urgent=True), ELSEWHERE).id.hex()
    assert {item.id for item in place.board.to_confirm(9)} == {item_id, urgent}
    place.board.confirm(item_id, "lea")
    assert [item.id for item in place.board.to_confirm(9)] == [urgent]
    place.take(Record(Kind.CANCELLATION, ELSEWHERE.key_id, place.minute, 24, packed=b"Pluie",
                      target=bytes.fromhex(item_id)[:8]), ELSEWHERE)
    assert place.board.item(item_id).confirmed is None


def test_this_island_confirms_a_dozen_posts_a_day_and_takes_back_as_many_as_it_likes(place, urgent):
    alarms = [alarm(place, f"Alerte {number}") for number in range(CONFIRMED_A_DAY + 1)]
    for item_id in alarms[:-1]:
        place.board.confirm(item_id, "lea")
    assert reasons(place.board.confirm, alarms[-1], "lea") == ["confirmed-enough"]
    place.board.confirm(alarms[0], "lea", False)
    assert reasons(place.board.confirm, alarms[0], "lea") == ["confirmed-enough"], "flapping costs air too"
    place.clock.advance(86_400)
    place.board.confirm(alarm(place, "Demain"), "lea")


def test_an_island_may_ask_for_fewer_or_mark_nothing(tmp_path):
    asked = []
    place = Place(tmp_path, confirmations=lambda: asked[-1])
    place.let_in(THIRD, Right.WRITE, "Gare")
    urgent = alarm(place)
    place.confirm(THIRD, urgent)
    for needed, found in ((3, (["Gare"], 3, False)), (1, (["Gare"], 1, True))):
        asked.append(needed)
        assert by(place, urgent) == found
    asked.append(0)
    assert place.board.item(urgent).confirmed is None


def test_three_islands_agree_in_whatever_order_they_hear_of_it(tmp_path):
    """One posts, two others confirm, one of them takes it back; a fourth hears all of it the other way round."""
    place = Place(tmp_path)
    for key, name in ((THIRD, "Gare"), (FOURTH, "Port")):
        place.let_in(key, Right.WRITE, name)
    before = set(place.liveset.ids())
    urgent, raws = alarm(place), []
    for key, holds in ((THIRD, True), (HERE, True), (HERE, False)):
        place.clock.advance(60)
        if key is HERE:
            place.board.confirm(urgent, "lea", holds)
        else:
            place.confirm(key, urgent, holds)
        raws += [place.liveset.raw(id_) for id_ in place.liveset.ids() if id_ not in before]
    (tmp_path / "far").mkdir()
    far = Place(tmp_path / "far")
    for key, name in ((THIRD, "Gare"), (FOURTH, "Port")):
        far.let_in(key, Right.WRITE, name)
    assert place.clock.now() > START
    far.clock.advance(180)
    for raw in reversed(raws):
        far.publish(raw)
    assert by(far, urgent) == by(place, urgent) == (["Gare"], 2, False)
    assert set(far.liveset.ids()) == set(place.liveset.ids())


def test_it_is_gone_with_its_post_and_never_archived_or_shown_alone(place, urgent):
    place.board.confirm(urgent, "lea")
    place.pass_days(2)
    assert place.board.item(urgent) is None or place.board.item(urgent).confirmed is None
    assert not [id_ for id_ in place.liveset.ids() if place.liveset.encoding(id_)[0] & 15 == Kind.CONFIRMATION]
