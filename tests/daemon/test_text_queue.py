"""Answers wait for air in order, bounded and not for ever; what is urgent and new is called out once, and seldom."""

from types import SimpleNamespace

import pytest

from node.board.pace import Visitor
from node.daemon.settings import RadioSettings
from node.daemon.text_air import TextAir
from node.daemon.text_service import (
    ANNOUNCE_EVERY_S,
    ANNOUNCED_A_DAY,
    ANSWER_WITHIN_S,
    DAY_S,
    LOOK_S,
    MAX_UNSENT_OF_ONE,
    TextHost,
    TextInbox,
    TextService,
)
from node.model.event import Event
from node.model.record import Kind, Record
from radio.airtime import Governor
from radio.link import Outcome
from radio.lora import LONG_FAST, time_on_air_s
from radio.meshtastic.link import TextReceived
from tests.handheld.tasks import Radio
from tests.sim.places import ELSEWHERE

HOUR_S = 3_600.0


class Desk:
    """The island's texts by a clock that a test moves: a radio that takes each at once, a runner that always has leave."""

    name, facts = "radio", SimpleNamespace(channels=("", "quartier"))

    def __init__(self, place):
        self.place, self.up, self.sent = place, True, []
        air = TextAir(Governor("EU_868", None, place.clock.monotonic),
                      lambda size, to_one: time_on_air_s(size, LONG_FAST, False, to_one), lambda now: False, lambda: 0,
                      place.clock.monotonic)
        self.service = TextService(TextHost(
            self, place.board, SimpleNamespace(call=lambda work: work(), send_text=self.hand_over), place.clock, air,
            Radio(place).answerer, lambda sender: Visitor(sender.encode(), b"before " + sender.encode()),
            lambda: RadioSettings("none", texts_announce="quartier")), TextInbox())

    def hand_over(self, _link, text):
        text.done(text.send())

    def send_text(self, to, text, hops, channel):
        self.sent.append((to, text, hops, channel))
        return Outcome.SENT

    def forget_receivers(self, _older_s):
        pass

    def hear(self, *texts, sender="!1", hops=None):
        for text in texts:
            self.service._hear(TextReceived(sender, text, hops=hops, private=True))

    def run(self, seconds, step_s=LOOK_S):
        """What went out meanwhile."""
        before = len(self.sent)
        for _look in range(int(seconds // step_s)):
            self.place.clock.advance(step_s)
            self.service._look()
            self.service._send_next()
        return self.sent[before:]


@pytest.fixture
def desk(place):
    return Desk(place)


def urgent(place, text, kind=Kind.BULLETIN, **fields):
    return place.take(Record(kind, ELSEWHERE.key_id, place.minute, 0 if kind is Kind.EVENT else 90, urgent=True,
                             packed=text.encode(), **fields), ELSEWHERE)


def test_what_is_urgent_is_called_out_once_if_it_came_since_the_start_and_is_not_called_off(place):
    urgent(place, "Hier")
    place.clock.advance(120)
    desk = Desk(place)
    off = urgent(place, "Bal", Kind.EVENT, detail=Event(place.minute + 600, 60, 4))
    place.take(Record(Kind.CANCELLATION, ELSEWHERE.key_id, place.minute, 90, target=off.id[:8]), ELSEWHERE)
    assert desk.run(60) == []
    urgent(place, "Coupure d'eau")
    (call,) = desk.run(2 * ANNOUNCE_EVERY_S)
    assert (call[0], call[3]) == ("", 1) and "Coupure d'eau" in call[1]


def test_calls_follow_each_other_after_half_an_hour_and_are_few_a_day(place, desk):
    for text in ("Appel", "Encore un"):
        urgent(place, text)
    assert len(desk.run(60)) == 1 and desk.run(ANNOUNCE_EVERY_S - 120) == [] and len(desk.run(120)) == 1
    called = []
    for hour in range(2 * ANNOUNCED_A_DAY):
        urgent(place, f"Appel {hour}")
        called += desk.run(HOUR_S, 600)
    assert len(called) == ANNOUNCED_A_DAY - 2
    assert desk.run(DAY_S, HOUR_S), "the next day"


@pytest.mark.parametrize(("came", "goes"), [(None, 3), (0, 2), (2, 4), (7, 7)])
def test_an_answer_goes_a_little_further_than_its_question_came(desk, came, goes):
    desk.hear("?", hops=came)
    ((to, _text, hops, _channel),) = desk.run(10)
    assert (to, hops) == ("!1", goes)


def test_one_radio_has_few_answers_waiting_and_leaves_room_for_others(desk):
    desk.up = False
    desk.hear(*"??????", sender="!1")
    desk.hear("?", sender="!2")
    assert desk.service.counters["crowded"] == 6 - MAX_UNSENT_OF_ONE
    desk.up = True
    assert [to for to, *_ in desk.run(60)] == ["!1"] * MAX_UNSENT_OF_ONE + ["!2"]


def test_an_answer_that_nobody_waits_for_any_more_is_not_sent_but_an_edit_code_is(desk):
    desk.up = False
    desk.hear("publie Lait en poudre", "?")
    desk.run(ANSWER_WITHIN_S)
    desk.up = True
    (told,) = desk.run(60)
    assert "annule" in told[1] and desk.service.counters["too-late"] == 1
