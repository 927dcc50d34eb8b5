"""Hours of the loudspeaker, as keepers write them."""

import pytest

from node.board.loud_hours import hours_of, hours_written


@pytest.mark.parametrize("typed,kept", [
    ("9:00, 18:30", "9:00, 18:30"), ("18h30 ; 9h", "9:00, 18:30"), ("12", "12:00"), ("7:00", "7:00"), ("21:59", "21:59"),
    ("", ""), (" , ", ""), ("9 h، 18.05", "9:00, 18:05"),
])
def test_hours_are_read_as_they_are_written_and_kept_in_one_way(typed, kept):
    assert hours_written(hours_of(typed)) == kept and hours_written(hours_of(kept)) == kept


@pytest.mark.parametrize("typed", ["6:59", "22:00", "3", "24:00", "9:60", "9:00, 9h", "8,9,10,11,12,13,14", "matin",
                                   "9:0", "-9", "9:00 18:30", "99999999999:00"])
def test_night_hours_and_what_is_none_are_refused(typed):
    with pytest.raises(ValueError):
        hours_of(typed)
