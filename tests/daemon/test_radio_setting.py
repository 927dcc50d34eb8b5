"""A radio is set up by the island that holds it: one wish at a time, and whoever asked learns what became of theirs."""

from node.daemon.radio_setting import RadioSetter, Setting, wish_of
from tests.waiting import until

WISH = wish_of({"region": "EU_868"})


def test_a_second_wish_is_told_that_the_first_is_being_worked_at(puppet, connect):
    puppet.answers = False
    link = connect(puppet.port)
    setter = RadioSetter([link])
    assert setter.begin(WISH) is Setting.WORKING
    assert setter.begin(wish_of({"hops": 3})) is Setting.BUSY
    assert setter.state is Setting.WORKING
    link.close()
    until(lambda: setter.state is Setting.FAILED)


def test_an_island_without_a_radio_has_nothing_to_set():
    assert RadioSetter([]).begin(WISH) is Setting.NO_RADIO
