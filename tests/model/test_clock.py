"""The clocks: the machine's, the demo's that runs ahead of it, and one that moves when told to; and minutes of a set."""

from node.model.clock import EPOCH_S, MAX_MINUTE, FastClock, ManualClock, SystemClock, minute_of


def test_a_fast_clock_is_so_many_times_as_far_on_and_all_others_go_by_the_second():
    since = SystemClock().now() - 10
    assert FastClock(60.0, since).now() >= since + 600 and FastClock(60.0, since).rate == 60
    assert SystemClock().rate == ManualClock(since).rate == 1


def test_minutes_stay_within_what_a_record_holds():
    assert [minute_of(EPOCH_S + seconds) for seconds in (-90, 59.9, 60, 60.0 * 2**24)] == [0, 0, 1, MAX_MINUTE]
