"""People tell the keepers about a post: nobody drowns them in it, nothing of who told it is kept, it goes with its post."""

import pytest

from node.board.api import Draft, DraftRefused
from node.board.pace import BOUNDS, Act
from node.board.reasons import ReportReason
from node.board.reporting import CROWDED, MAX_CONTACT, MAX_REPORT, MAX_REPORTS, MOST_ASKED, MOST_OF_A_POST, REPORT_DAYS
from node.model.record import Kind, Record
from tests.board.test_clearing import fill, let_undo_pass
from tests.board.test_notes import at_once
from tests.board.test_rationing import somebody
from tests.sim.places import ELSEWHERE, event, problems

EACH = BOUNDS[Act.REPORT].most
DAY_S = 86_400


def tell(place, item_id, number=1, reason="insult", words=""):
    return place.board.report(item_id, reason, words, somebody(number))


def refusals(place, item_id, *more, **words):
    """Why it could not be told, nothing if it could."""
    try:
        tell(place, item_id, *more, **words)
    except DraftRefused as refused:
        return [(problem.field, problem.code) for problem in refused.problems]
    return []


def told(place):
    return [(one.item.id, [report.words for report in one.reports]) for one in place.board.reported()]


@pytest.fixture
def posted(place):
    return place.board.post(Draft(Kind.BULLETIN, "Un propos déplacé"))


def test_what_is_told_stands_beside_its_post_with_the_day_and_nothing_of_who_told_it(place, posted):
    place.clock.advance(100 * 60)
    report = tell(place, posted.id[:12], words=" C’est de moi\nqu’il parle ")
    assert (report.reason, report.words) == (ReportReason.INSULT, "C’est de moi\nqu’il parle") and report.day % 1_440 == 0
    assert [(one.item.id, one.reports) for one in place.board.reported()] == [(posted.id, (report,))]
    assert set(vars(report)) == {"item_id", "reason", "words", "day"}
    assert place.board.count_reports() == place.board.count_reported() == 1


def test_one_visitor_tells_a_few_things_and_others_are_heard_all_the_same(place):
    posts = fill(place, 50)
    outcomes = [refusals(place, id_) for id_ in posts]
    assert outcomes[:EACH] == [[]] * EACH
    assert {code for one in outcomes[EACH:] for _, code in one} == {"too-many-reports"} and len(outcomes) == 50
    assert not refusals(place, posts[20], 2)
    place.clock.advance(4 * 3_600)
    assert not refusals(place, posts[30]), "some hours later"


def test_two_hundred_visitors_fill_what_there_is_room_for_and_the_keepers_free_all_of_it_with_one_press(place):
    posts = fill(place, MAX_REPORTS + 10)
    words = [f"{number}".ljust(MAX_REPORT, "x") for number in range(200)]
    outcomes = [refusals(place, posts[(number * EACH + turn) % len(posts)], number, words=words[number])
                for number in range(200) for turn in range(EACH)]
    codes = [code for one in outcomes for _, code in one]
    assert set(codes) == {"too-many-reports", "reports-full"} and len(outcomes) == 200 * EACH
    heard = [number for number in range(200) if outcomes[number * EACH] == []]
    assert len(heard) == CROWDED // EACH + CROWDED, "beyond the half of it each visitor had one"
    assert place.board.count_reports() == outcomes.count([]) == MAX_REPORTS
    count = place.board.settle_all_reports("lea", "une attaque")
    entry = place.board.audit_log()[0]
    assert (entry.action, entry.why, entry.about) == ("settle-all", "une attaque", str(count)) and count > 100
    assert not place.board.count_reports() and not refusals(place, posts[0], 999)


def test_a_crowd_about_one_post_takes_no_room_from_others_nor_from_its_author(place, posted):
    outcomes = [refusals(place, posted.id, number, words=f"n° {number}") for number in range(200)]
    assert outcomes.count([]) == MOST_OF_A_POST and outcomes.count([("", "reported-enough")]) == 200 - MOST_OF_A_POST
    asked = [refusals(place, posted.id, number, "mine-change", f"19 h, pas 1{number} h") for number in range(200, 210)]
    assert asked.count([]) == MOST_ASKED
    assert place.board.count_reports() == MOST_OF_A_POST + MOST_ASKED
    assert place.board.item(posted.id).text == "Un propos déplacé", "nothing happens by itself"


def test_the_same_words_twice_are_kept_once(place, posted):
    tell(place, posted.id, 1, "other", "non")
    tell(place, posted.id, 2, "other", "non")
    assert told(place) == [(posted.id, ["non"])]


def test_who_could_not_tell_it_may_still_tell_as_much(place, posted):
    for number in range(MOST_OF_A_POST):
        tell(place, posted.id, number, words=str(number))
    for _again in range(2 * EACH):
        assert refusals(place, posted.id, 99, "insult", "encore") == [("", "reported-enough")]
    assert not refusals(place, fill(place, 1)[0], 99)


@pytest.mark.parametrize(("reason", "words", "expected"), [
    ("garbage", "", ("reason", "not-offered")), ("", "", ("reason", "not-offered")), ("other", " \n", ("text", "empty")),
    ("mine-change", "", ("text", "empty")), ("insult", "x" * (MAX_REPORT + 1), ("text", "too-long")),
    ("insult", "a\u202eb", ("text", "control-character")), ("insult", "\x00", ("text", "control-character")),
    ("insult", "\u2800", ("text", "invisible"))])
def test_what_tells_keepers_nothing_is_refused_with_a_sentence_and_costs_nothing(place, posted, reason, words, expected):
    for _again in range(2 * EACH):
        assert refusals(place, posted.id, 1, reason, words) == [expected]
    assert not place.board.count_reports() and not refusals(place, posted.id)


def test_only_what_is_on_the_board_is_told_of_and_only_what_was_posted_here_is_claimed(place):
    theirs = place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=b"ailleurs"), ELSEWHERE).id.hex()
    assert refusals(place, theirs, 1, "mine-withdraw") == [("reason", "not-yours")]
    assert refusals(place, "0" * 32) == refusals(place, "garbage") == [("", "target-gone")]
    assert not refusals(place, theirs)
    reply = place.board.post(Draft(Kind.REPLY, "Menteur", target=theirs))
    tell(place, reply.id, words="il m’insulte")
    assert told(place) == [(reply.id, ["il m’insulte"]), (theirs, [""])]


def reported(place, ids):
    """Something is told of each of them."""
    for number, id_ in enumerate(ids):
        tell(place, id_, 100 + number, words="à voir")
    assert place.board.count_reported() == len(ids)


def test_what_was_told_goes_when_a_keeper_hides_corrects_cancels_or_sees_nothing_to_do(place):
    board, posts = place.board, [place.board.post(Draft(Kind.BULLETIN, f"n° {number}")).id for number in range(3)]
    off = board.post(event(place, title="Bal")).id
    reported(place, [*posts, off])
    board.hide(posts[0], True, "lea")
    board.correct_as_keeper(posts[1], Draft(Kind.BULLETIN, "n° un"), "lea")
    assert board.settle_reports(posts[2], "lea", "rien à redire") and not board.settle_reports(posts[2], "lea")
    board.cancel_as_keeper(off, "", "lea")
    assert not board.count_reports()
    assert [entry.action for entry in board.audit_log()] == ["cancel", "settle", "correct", "hide"]


def test_what_was_told_goes_with_its_post_however_that_goes(place, posted):
    board, (ours,) = place.board, fill(place, 1)
    theirs = place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=b"ailleurs"), ELSEWHERE)
    reported(place, [posted.id, ours, theirs.id.hex()])
    board.withdraw(posted.id, posted.edit_code)
    assert board.count_reported() == 2
    done = board.withdraw_as_keeper(ours, "lea")
    assert told(place) == [(theirs.id.hex(), ["à voir"])]
    board.undo(done.id, "lea")
    assert len(told(place)) == 2, "it is back, and so is what was told of it"
    board.withdraw_as_keeper(ours, "lea")
    let_undo_pass(place)
    assert board.count_reported() == 1
    place.take(Record(Kind.RETRACTION, ELSEWHERE.key_id, place.minute, 24, target=theirs.id[:8]), ELSEWHERE)
    assert not told(place)
    board.forget_reports()
    assert not board.count_reports()


def test_after_two_weeks_it_is_forgotten_and_not_before(place):
    long = place.board.post(Draft(Kind.BULLETIN, "trois mois", life_days=90))
    tell(place, long.id, 1, words="hier")
    place.clock.advance(DAY_S * 10)
    tell(place, long.id, 2, words="plus tard")
    place.clock.advance(DAY_S * (REPORT_DAYS - 10) - DAY_S)
    place.board.forget_reports()
    assert told(place) == [(long.id, ["hier", "plus tard"])]
    place.clock.advance(DAY_S)
    place.board.forget_reports()
    assert told(place) == [(long.id, ["plus tard"])]


def test_an_event_that_is_past_is_told_of_until_it_is_gone(place):
    start = place.minute + 60
    past = place.board.post(event(place, title="Bal", start=start, end=start + 60))
    tell(place, past.id)
    row = place.store.get(bytes.fromhex(past.id))
    place.pass_days(3)
    place.archive.keep([row], {})
    place.store.commit(delete=[row.id])
    place.liveset.forget([row.id])
    place.board.forget_reports()
    assert [one.item.id for one in place.board.reported()] == [past.id]
    place.archive.forget([row.id])
    place.board.forget_reports()
    assert not place.board.count_reports()


def test_what_was_told_is_there_after_a_restart_the_latest_first(place):
    posts = fill(place, 3)
    for day, id_ in enumerate(posts):
        tell(place, id_, day)
        place.clock.advance(DAY_S)
    before = told(place)
    again = type(place.board.notes)(place.store, place.board.notes._gate)
    assert [report.item_id for (report,) in reversed(again.state.reports.values())] == [id_ for id_, _ in before]


def test_keepers_say_how_to_reach_them(place):
    board = place.board
    board.set_contact("  samedi\nau marché \u202e", "lea")
    assert board.contact() == "samedi au marché" and board.audit_log()[0].action == "contact"
    assert problems(board.set_contact, "x" * (MAX_CONTACT + 1), "lea") == [("contact", "too-long")]
    assert problems(board.set_contact, "\u2800", "lea") == [("contact", "invisible")]
    assert board.contact() == "samedi au marché" and len(board.audit_log()) == 1
    board.set_contact("", "lea")
    assert not board.contact()


def test_who_tell_it_at_the_same_time_fill_no_more_than_there_is_room_for(place, posted):
    works = [lambda number=number: refusals(place, posted.id, number, words=f"n° {number}") for number in range(20)]
    at_once(*works)
    assert len(works) == 20 and place.board.count_reports() == MOST_OF_A_POST
