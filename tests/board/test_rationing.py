"""Nobody takes the board away: what visitors fill is bounded, what is beyond waits for a keeper, nothing typed is lost."""

from dataclasses import replace

import pytest

from node.board.api import BoardClosed, Draft
from node.board.notes import PendingPost
from node.board.pace import BOUNDS, HOURLY, Act, Visitor
from node.board.rationing import CROWDED, MAX_WAITING, RESERVE
from node.board.reasons import WaitReason
from node.model.record import Kind, Record
from node.replica.quota import Category, Limit
from node.store.index import StoreFailed
from tests.sim.places import HERE, Place, add_group, event, problems

HOUR_S = 3_600


def somebody(number):
    return Visitor(number.to_bytes(8, "big"), (1 << 32 | number).to_bytes(8, "big"))


def flood(place, addresses, each, make=lambda number: Draft(Kind.BULLETIN, f"Montres {number}", life_days=90)):
    """What became of many posts: for what each waits ("" if it is shown), None if it was refused."""
    outcomes = []
    for number in range(addresses * each):
        try:
            outcomes.append(place.board.post(make(number), visitor=somebody(number % addresses)).waiting)
        except Exception as refused:
            outcomes.append(None)
            assert {one.code for one in refused.problems} <= {"too-many-posts", "too-many-waiting"}
    return outcomes


def test_one_visitor_has_a_few_posts_an_hour_and_others_are_not_kept_out(place):
    outcomes = flood(place, 1, 100)
    assert outcomes.count("") == BOUNDS[Act.POST].most and outcomes.count(None) == 100 - BOUNDS[Act.POST].most
    assert place.board.post(Draft(Kind.BULLETIN, "Soupe"), visitor=somebody(999)).waiting == ""
    place.clock.advance(HOUR_S)
    assert place.board.post(Draft(Kind.BULLETIN, "Encore"), visitor=somebody(0)).waiting == ""


@pytest.mark.parametrize("make", [
    lambda place, number: Draft(Kind.BULLETIN, f"Montres {number}"),
    lambda place, number: event(place, title=f"Soldes {number}"),
    lambda place, number: Draft(Kind.REPLY, f"Moi {number}", target=place.board.bulletins().items[-1].id),
    lambda place, number: Draft(Kind.BULLETIN, f"Demain {number}", publish_at=place.minute + 600),
])
def test_beyond_the_common_pace_everything_waits_for_a_keeper_and_is_told_so(place, make):
    place.board.post(Draft(Kind.BULLETIN, "Qui vient ?"))
    outcomes = flood(place, 45, 1, lambda number: make(place, number))
    paced = {WaitReason.HOUR, ""}
    assert sum(one in paced for one in outcomes) == HOURLY and outcomes.count(WaitReason.PACE) == 45 - HOURLY
    neighbour = place.board.post(Draft(Kind.BULLETIN, "Un chat gris est perdu"), visitor=somebody(999))
    assert neighbour.waiting is WaitReason.PACE
    place.board.approve(neighbour.id, "lea")
    assert place.board.item(neighbour.id).text == "Un chat gris est perdu"
    place.board.withdraw(neighbour.id, neighbour.edit_code, visitor=somebody(999))


@pytest.mark.parametrize("step_s", [-400 * 86_400, -3_600, 3_600, 400 * 86_400])
def test_a_clock_that_is_set_gives_nobody_another_turn_and_keeps_nobody_out(place, step_s):
    most = BOUNDS[Act.POST].most
    assert flood(place, 1, most + 1) == [""] * most + [None]
    place.wrong_s = step_s
    assert flood(place, 1, 1) == [None]
    place.clock.advance(HOUR_S)
    place.wrong_s = 0.0
    assert place.board.post(Draft(Kind.BULLETIN, "Encore"), visitor=somebody(0)).waiting == ""


def test_scheduled_posts_come_at_their_hour_only_as_many_as_the_pace_had_room_for(place):
    flood(place, 45, 1, lambda number: Draft(Kind.BULLETIN, f"Demain {number}", publish_at=place.minute + 600))
    place.clock.advance(11 * HOUR_S)
    assert place.board.publish_due() == HOURLY
    assert len(place.board.waiting()) == 45 - HOURLY and all(post.moderated for post in place.board.waiting())


def test_the_waiting_list_is_not_filled_by_some_so_that_others_find_no_place(place):
    place.board.set_posting("moderated", "lea")
    crowd = {f"{number:032x}": PendingPost(one_raw(place), True, None, place.minute) for number in range(CROWDED)}
    place.board.notes.update(lambda state: replace(state, waiting=crowd))
    assert place.board.post(Draft(Kind.BULLETIN, "un"), visitor=somebody(1)).waiting is WaitReason.RULE
    second = Draft(Kind.BULLETIN, "deux")
    assert problems(lambda: place.board.post(second, visitor=somebody(1))) == [("", "too-many-waiting")]
    assert place.board.post(Draft(Kind.BULLETIN, "trois"), visitor=somebody(2)).waiting is WaitReason.RULE
    full = {f"{number:032x}": post for number, post in enumerate([*crowd.values()] * (MAX_WAITING // CROWDED))}
    place.board.notes.update(lambda state: replace(state, waiting=full))
    with pytest.raises(BoardClosed, match="waiting-full"):
        place.board.post(Draft(Kind.BULLETIN, "quatre"), visitor=somebody(3))
    later = Draft(Kind.BULLETIN, "cinq", publish_at=place.minute + 9)
    assert RESERVE and place.board.post(later, keeper="lea").waiting is WaitReason.HOUR


def one_raw(place):
    """The encoding of some post of this island's."""
    return place.board.sign_own(Record(Kind.BULLETIN, HERE.key_id, place.minute, 2_160, packed=b"Montres"))


def test_groups_and_keepers_post_on_a_board_that_is_flooded(place):
    add_group(place.board, "Syndicat", b"\3" * 32, "trois chats")
    assert flood(place, 45, 1).count("") == HOURLY
    assert place.board.post(Draft(Kind.BULLETIN, "À tous"), keeper="lea").waiting == ""
    assert place.board.post(Draft(Kind.BULLETIN, "Grève"), "Syndicat", "trois chats", somebody(1)).waiting == ""
    assert place.board.post(Draft(Kind.BULLETIN, "Au terminal")).waiting == ""
    for rule in ("moderated", "members"):
        place.board.set_posting(rule, "lea")
        assert place.board.post(Draft(Kind.BULLETIN, f"À tous, {rule}"), keeper="lea").waiting == ""


def test_days_of_flood_leave_a_quarter_of_the_share_to_keepers(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(64, 262_144), Category.RETRACTIONS: Limit(64, 131_072)})
    shown = []
    for day in range(14):
        made = flood(place, 5, 3, lambda number, day=day: Draft(Kind.BULLETIN, f"{day} {number}", life_days=90))
        shown.append(made.count(""))
        place.board.notes.update(lambda state: replace(state, waiting={}))
        place.clock.advance(24 * HOUR_S)
    assert shown[0] == 8 and 32 < sum(shown) <= 48
    assert place.board.post(Draft(Kind.BULLETIN, "À tous"), keeper="lea").waiting == ""
    place.archive.close()


def test_what_waits_for_its_hour_takes_its_room_before_it_comes(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(16, 65_536), Category.RETRACTIONS: Limit(64, 131_072)})
    that_day, waiting = place.minute + 30 * 1_440, []
    for _day in range(8):
        waiting += flood(place, 2, 1, lambda number: Draft(Kind.BULLETIN, f"{place.minute} {number}", publish_at=that_day))
        place.clock.advance(24 * HOUR_S)
    assert 6 < waiting.count(WaitReason.HOUR) <= 12 and waiting.count(WaitReason.PACE) >= 4, "a quarter is for keepers"
    place.archive.close()


def test_corrections_in_a_loop_wait_after_a_few_and_leave_other_authors_room(place):
    mine, other = (place.board.post(Draft(Kind.BULLETIN, "à 18 h"), visitor=somebody(number)) for number in (1, 2))
    assert mine.id != other.id
    for number in range(BOUNDS[Act.CHANGE].most):
        place.board.correct(mine.id, mine.edit_code, Draft(Kind.BULLETIN, f"à {number} h"), somebody(1))
    again = Draft(Kind.BULLETIN, "à minuit")
    assert problems(place.board.correct, mine.id, mine.edit_code, again, somebody(1)) == [("", "too-many-changes")]
    assert place.board.correct(other.id, other.edit_code, again, somebody(2)).waiting == ""
    for number in range(100):
        place.clock.advance(30)
        later = Draft(Kind.BULLETIN, f"à {number} h")
        changed = place.board.correct(mine.id, mine.edit_code, later, somebody(100 + number))
    assert changed.waiting is WaitReason.PACE and len(place.board.waiting()) == 1, "the last one counts"
    place.board.approve(changed.id, "lea")
    assert place.board.item(mine.id).text == "à 99 h" and not place.board.waiting()
    place.board.withdraw(mine.id, mine.edit_code, visitor=somebody(1))


def test_a_correction_that_waits_can_be_corrected_and_withdrawn_by_its_author(place):
    post = place.board.post(Draft(Kind.BULLETIN, "à 18 h"), visitor=somebody(1))
    place.board.set_posting("moderated", "lea")
    first = place.board.correct(post.id, post.edit_code, Draft(Kind.BULLETIN, "à 19 h"), somebody(1))
    second = place.board.correct(first.id, post.edit_code, Draft(Kind.BULLETIN, "à 20 h"), somebody(1))
    assert [one.item.text for one in place.board.waiting()] == ["à 20 h"]
    assert problems(place.board.withdraw, second.id, "aaaa-aaaa", None, somebody(2)) == [("word", "word-wrong")]
    place.board.withdraw(second.id, post.edit_code, visitor=somebody(1))
    assert not place.board.waiting() and place.board.item(post.id).text == "à 18 h"
    place.board.withdraw(post.id, post.edit_code, visitor=somebody(1))
    assert place.board.item(post.id) is None


def test_what_a_keeper_has_read_is_not_changed_into_something_that_none_has(place):
    place.board.set_posting("moderated", "lea")
    post = place.board.post(event(place, title="Fête", publish_at=place.minute + 60), visitor=somebody(1))
    place.board.approve(post.id, "lea")
    other = event(place, title="Soldes")
    changed = place.board.correct(post.id, post.edit_code, other, somebody(1))
    assert changed.waiting and place.board.waiting()[0].moderated, "it waited for its hour only, and is another now"
    place.board.approve(changed.id, "lea")
    place.clock.advance(2 * HOUR_S)
    place.board.publish_due()
    assert place.board.correct(changed.id, post.edit_code, event(place, title="Encore"), somebody(1)).waiting
    assert place.board.withdraw(changed.id, post.edit_code, "Achetez !", somebody(1)).waiting
    assert place.board.item(changed.id).title == "Soldes" and place.board.item(changed.id).cancelled is None


def test_what_waits_for_a_keeper_is_not_let_out_by_correcting_it(place):
    place.board.set_posting("moderated", "lea")
    post = place.board.post(event(place, title="Soldes", publish_at=place.minute + 60), visitor=somebody(1))
    place.board.set_posting("open", "lea")
    place.board.correct(post.id, post.edit_code, event(place, title="Soldes !"), somebody(1))
    place.clock.advance(2 * HOUR_S)
    assert place.board.publish_due() == 0 and place.board.waiting()[0].moderated


@pytest.mark.parametrize("rule", ["moderated", "members"])
def test_where_not_everybody_posts_a_correction_is_read_first(place, rule):
    post = place.board.post(Draft(Kind.BULLETIN, "à 18 h"), visitor=somebody(1))
    place.board.set_posting(rule, "lea")
    changed = place.board.correct(post.id, post.edit_code, Draft(Kind.BULLETIN, "Soldes"), somebody(1))
    assert changed.waiting is WaitReason.RULE and place.board.item(post.id).text == "à 18 h"


def test_beside_the_card_s_rule_keepers_close_the_door_further_until_the_next_start(tmp_path):
    place = Place(tmp_path, rule_stands=True)
    assert (place.board.posting_rule(), place.board.stricter_for_now()) == ("open", False)
    place.board.set_posting("moderated", "lea")
    assert place.board.stricter_for_now() and not place.board.notes.state.posting
    assert place.board.post(Draft(Kind.BULLETIN, "Soldes"), visitor=somebody(1)).waiting is WaitReason.RULE
    place.board.set_posting("open", "lea")
    assert (place.board.posting_rule(), place.board.stricter_for_now()) == ("open", False)
    place.archive.close()


def test_corrections_that_grow_push_nothing_off_the_board(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(1_024, 5_000)})
    posts = [place.board.post(Draft(Kind.BULLETIN, f"n° {number}"), keeper="lea") for number in range(20)]
    long = Draft(Kind.BULLETIN, "".join(map(chr, range(0x4e00, 0x4e00 + 400))))
    assert problems(place.board.correct, posts[-1].id, posts[-1].edit_code, replace(long, text=long.text * 3))
    grown = [problems_or_none(place, post, long) for post in posts]
    assert grown.count(None) >= 1 and grown[-1] == [("", "share-used")]
    assert len(place.board.bulletins(limit=50).items) == 20
    assert place.board.correct(posts[-1].id, posts[-1].edit_code, long, somebody(1)).waiting is WaitReason.PACE
    place.archive.close()


def problems_or_none(place, post, draft):
    try:
        place.board.correct(post.id, post.edit_code, draft)
    except Exception as refused:
        return [(one.field, one.code) for one in refused.problems]


def test_what_waits_pushes_nothing_off_a_board_that_filled_meanwhile(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(8, 262_144)})
    late = place.board.post(Draft(Kind.BULLETIN, "demain", publish_at=place.minute + 60), keeper="lea")
    shown = [place.board.post(Draft(Kind.BULLETIN, f"n° {number}"), keeper="lea") for number in range(8)]
    with pytest.raises(BoardClosed, match="share-full"):
        place.clock.advance(HOUR_S)
        place.board.approve(late.id, "lea")
    assert place.board.publish_due() == 0 and len(place.board.bulletins().items) == 8
    place.board.withdraw(shown[0].id, shown[0].edit_code)
    assert place.board.publish_due() == 1 and not place.board.waiting()
    place.archive.close()


def test_visitors_leave_a_quarter_of_the_cancellations_to_keepers(tmp_path):
    place = Place(tmp_path, {Category.CANCELLATIONS: Limit(4, 131_072)})
    posts = [place.board.post(event(place, title=f"Fête {number}"), visitor=somebody(number)) for number in range(5)]
    waits = [place.board.withdraw(post.id, post.edit_code, "la salle est prise", somebody(number)).waiting
             for number, post in enumerate(posts)]
    assert waits == ["", "", "", WaitReason.PACE, WaitReason.PACE]
    first, second = place.board.waiting()
    place.board.approve(first.item.id, "lea")
    assert place.board.item(posts[3].id).cancelled == "la salle est prise"
    with pytest.raises(BoardClosed, match="share-full"):
        place.board.approve(second.item.id, "lea")
    for post in posts:
        place.board.withdraw(post.id, post.edit_code)
    assert place.liveset.used(HERE.key_id, Category.RETRACTIONS).records == 5
    place.archive.close()


def test_a_reason_is_short(place):
    post = place.board.post(event(place))
    assert problems(place.board.withdraw, post.id, post.edit_code, "x" * 301) == [("reason", "too-long")]
    place.board.withdraw(post.id, post.edit_code, "x" * 300)


def test_what_waits_longer_than_it_would_have_lived_is_forgotten(place):
    place.board.set_posting("moderated", "lea")
    post = place.board.post(Draft(Kind.BULLETIN, "ce soir", life_days=1), visitor=somebody(1))
    place.board.post(Draft(Kind.BULLETIN, "ce mois", life_days=30), visitor=somebody(1))
    place.clock.advance(25 * HOUR_S)
    assert place.board.finish_clearings() == 1
    assert [one.item.text for one in place.board.waiting()] == ["ce mois"]
    assert not place.board.notes.edit_code(bytes.fromhex(post.id)[:8])


def test_a_clock_that_may_be_wrong_throws_away_nothing_that_waits_and_nothing_that_was_told(place):
    later = place.board.post(Draft(Kind.BULLETIN, "demain", life_days=1, publish_at=place.minute + 600))
    shown = place.board.post(Draft(Kind.BULLETIN, "ici", life_days=90))
    place.board.report(shown.id, "other", "Tu as vu ?", somebody(3))
    place.board.set_posting("moderated", "lea")
    place.board.post(Draft(Kind.BULLETIN, "ce soir", life_days=1), visitor=somebody(1))
    place.certain_s, place.wrong_s = place.clock.now(), 60 * 86_400.0
    assert (place.board.finish_clearings(), place.board.publish_due()) == (0, 0)
    place.board.forget_reports()
    place.wrong_s = 0.0
    assert {one.item.text for one in place.board.waiting()} == {"demain", "ce soir"} and place.board.count_reports() == 1
    place.clock.advance(11 * HOUR_S)
    assert place.board.publish_due() == 1 and place.board.item(later.id).text == "demain"


def test_a_post_that_the_card_does_not_keep_is_not_counted(tmp_path):
    class Full(Place):
        """Keeps no record while it is full."""

        full = False

        def publish(self, raw):
            if self.full:
                raise StoreFailed("full")
            return super().publish(raw)

    place = Full(tmp_path)
    place.full, tried = True, 0
    for number in range(HOURLY + 2):
        with pytest.raises(BoardClosed, match="full"):
            place.board.post(Draft(Kind.BULLETIN, f"n° {number}"), visitor=somebody(1))
        tried += 1
    place.full = False
    assert tried == HOURLY + 2 and place.board.post(Draft(Kind.BULLETIN, "enfin"), visitor=somebody(1)).waiting == ""
    place.archive.close()


def test_who_repeats_a_post_word_for_word_gets_a_post_of_their_own_and_no_say_about_the_first(place):
    for when in (None, place.minute + 60):
        draft = Draft(Kind.BULLETIN, "Soupe à 19 h", publish_at=when)
        first, second = (place.board.post(draft, visitor=somebody(number)) for number in (1, 2))
        assert first.id != second.id
        assert problems(place.board.withdraw, first.id, second.edit_code, None, somebody(2)) == [("word", "word-wrong")]
        place.board.withdraw(first.id, first.edit_code, visitor=somebody(1))
    again = [place.board.post(Draft(Kind.BULLETIN, "Moi !"), visitor=somebody(number)) for number in range(10)]
    assert len({post.id for post in again}) == 10
    assert problems(lambda: place.board.post(Draft(Kind.BULLETIN, "Moi !"), visitor=somebody(20))) == [
        ("text", "said-already")]
