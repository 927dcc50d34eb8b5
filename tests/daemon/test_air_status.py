"""What the radio's status tells of the air is what then happens: moments, reasons, who hears whom, what was sent."""

import math
from dataclasses import replace

import pytest

from node.board.air_orders import AirOrder, AirOrderKind
from node.board.api import DraftRefused
from node.board.status import LinkStatus
from node.daemon.air_log import ALL_KINDS, MOST_PACKETS, MOST_SIGNALS, STEP_S, STEPS, AirLog, told_sections
from node.daemon.air_names import AirNames
from node.daemon.air_status import ROWS
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.lora import LoraAdapter, RadioLimits, lora_governor, neighbour_name
from node.daemon.membership import Membership
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.clock import RELEASED_AT, ManualClock, minute_of
from node.model.record import Kind, Record, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.events import LinkChanged, PacketReceived, RecordPosted, Send, SendDone
from node.sync.lora.context import address_of
from node.sync.lora.packets import Have, More, Need, Neighbours, Packet, Piece, Sum, Whole
from node.sync.lora.packets import encode as packet_of
from radio.airtime import Wish
from radio.meshtastic.facts import Facts
from tests.sim.archipelago import CHARTER, KEY, START, bulletin
from tests.sim.portals import CHARTER as SET
from tests.sim.portals import ELSEWHERE, HERE

LINK = LinkStatus("radio", True, "up")
US = address_of(KEY.key_id, CHARTER.subkey("tag"))
NEAR = 0xABCD


class Island:
    """A real island's air side with a radio that a test moves: `now` is both of its clocks."""

    def __init__(self, region="EU_868", share=0.0):
        self.now, self.sent = START, []
        self.facts = Facts(region=region)
        liveset, limits = LiveSet(CHARTER), RadioLimits(188, region, share)
        self.air = LoraAdapter(Membership(CHARTER, KEY, liveset), lambda: self.facts, limits,
                               lora_governor(limits, lambda: self.now), lambda who, utc: None)
        self.replica = Replica(liveset, MemoryStore(), [self.air])
        self.tell(LinkChanged("radio", True))

    def tell(self, event):
        for send in self.replica.handle(event, self.now):
            self.sent.append((self.now, send))
            self.waiting = send

    def status(self, link=LINK):
        return self.air.status(link, self.now)

    def post(self, raw):
        self.tell(RecordPosted(raw))

    def hear(self, *sections, sequence=1, sender=NEAR, hops=0, snr_db=5.5, rssi_dbm=-90):
        payload = packet_of(Packet(sender, sequence, sections), CHARTER.subkey("tag"))
        self.tell(PacketReceived("radio", payload, f"!{sender:08x}", hops, snr_db=snr_db, rssi_dbm=rssi_dbm))

    def run(self, seconds, airtime_s=2.0):
        """Let time pass; each packet is done after its air."""
        end, done_at = self.now + seconds, math.inf
        if self.sent and self.sent[-1][0] == self.now:
            done_at = self.now + airtime_s
        while True:
            moment = min(self.replica.deadline or math.inf, done_at)
            if moment > end:
                break
            self.now, before = max(moment, self.now), len(self.sent)
            if self.now >= done_at:
                done_at = math.inf
                self.tell(SendDone("radio", "sent"))
            else:
                self.replica.deadline and self.tell(LinkChanged("other", True))
            if len(self.sent) > before:
                done_at = self.now + airtime_s
        self.now = end


def urgent(number):
    record = Record(Kind.BULLETIN, KEY.key_id, minute_of(START), life=24, urgent=True, packed=b"u%d" % number)
    return encode(sign(record, CHARTER.set_id, KEY.sign))


def used_up(island, part=1.0):
    governor = island.air.governor
    governor.charge(governor.limit_s * part, island.now)
    island.now += 120  # so that the channel is free again


def test_an_hour_that_is_used_up_holds_posts_until_the_moment_that_is_told_and_urgent_ones_not():
    island = Island()
    used_up(island, 7 / 8)
    island.post(bulletin(1))
    island.run(30)
    air, queue = island.status().airtime, island.status().queue
    row, = queue.rows
    assert (row.kind, row.hold, row.claim) == ("new", "hour-used", "fair") and row.wait_s > 3_000
    assert (air.next_send_s, air.hold) == (row.wait_s, "hour-used") and air.kept_urgent_s == air.limit_s / 8
    told_at, posts = island.now + row.wait_s, len(island.sent)
    assert {one.claim: one.hold for one in air.outlooks} == {
        "urgent": "", "fair": "hour-used", "crowding": "hour-used"}
    island.post(urgent(2))
    island.run(60)
    assert len(island.sent) == posts + 1 and island.sent[-1][1].urgent
    later_s = island.status().queue.rows[0].wait_s
    assert later_s > told_at - island.now - 61, "the urgent one took nothing of the hour's earlier part"
    island.run(later_s + 240)  # the engine looks anew every three minutes
    went = [at for at, send in island.sent if send.label == "data" and not send.urgent]
    assert went and abs(went[0] - told_at) <= 240


@pytest.mark.parametrize("used", [0.0, 0.5, 0.6, 0.8])
def test_a_flood_of_one_author_goes_when_it_is_told(used):
    island = Island()
    used_up(island, used)
    for number in range(60):
        island.post(bulletin(number))
    island.run(60)
    queue, told_at, count = island.status().queue, island.now, len(island.sent)
    waits = [row.wait_s for row in queue.rows if row.hold != "sending"]
    assert len(queue.rows) == ROWS and queue.records > 30
    assert waits == sorted(waits) and waits[-1] > 0, "one after the other, as the air allows"
    assert all(row.hold for row in queue.rows if row.wait_s), "who waits has a reason"
    island.run(waits[-1] + 600)
    went = [at - told_at for at, send in island.sent[count:] if send.label == "data"]
    assert len(went) >= len(waits)
    late = [true - told for told, true in zip(waits, went, strict=False)]
    assert min(late) >= -30 and max(late) <= 300, "the engine looks anew every three minutes"


def test_a_link_that_is_down_says_so_and_gives_no_moment():
    island = Island()
    used_up(island)
    island.post(bulletin(1))
    row, = island.status(replace(LINK, up=False, state="lost")).queue.rows
    assert (row.hold, row.wait_s) == ("link-down", None)


def test_a_packet_on_the_air_and_what_became_of_it_are_told():
    island = Island()
    island.post(bulletin(1))
    island.run(1.0, airtime_s=9.0)
    assert [row.hold for row in island.status().queue.rows] == ["sending"]
    first = island.status().packets[0]
    assert first.sent and first.outcome == "" and ("record", 1) in first.sections
    island.tell(SendDone("radio", "duty-cycle"))
    assert island.status().packets[0].outcome == "duty-cycle"
    assert island.status().airtime.hold == "refused-by-radio"


def test_the_air_by_kind_adds_up_to_what_the_governor_counted():
    island = Island()
    island.hear(Sum(1, 0, 1, 0), Neighbours((US,)))
    for number in range(5):
        island.post(bulletin(number))
    island.run(1_800)
    told = island.status()
    assert sum(told.history.total_s.values()) == pytest.approx(told.airtime.used_s, abs=0.6)
    assert sum(map(sum, told.history.sent_s.values())) == pytest.approx(told.airtime.used_s, abs=1.0)
    assert told.history.total_s["fresh"] > 0


def test_neighbours_are_told_with_their_strength_and_whether_they_hear_us():
    island = Island()
    island.hear(Sum(1, 0, 1, 0), Neighbours((US, 7)), sender=1)
    island.hear(Sum(1, 0, 1, 0), Neighbours((7,)), sender=2, snr_db=-14.25, rssi_dbm=-121)
    island.hear(Sum(1, 0, 1, 0), sender=3, hops=2, snr_db=0.0, rssi_dbm=0)
    near, deaf, far = island.status().neighbours
    assert (near.hears_us, near.snr_db, near.rssi_dbm, near.relays) == (True, 5.5, -90, 0)
    assert (deaf.hears_us, deaf.snr_db) == (False, -14.25)
    assert (far.hears_us, far.snr_db, far.rssi_dbm, far.relays) == (None, None, None, 2)
    island.now += 40
    assert [one.heard_s_ago for one in island.status().neighbours] == [40, 40, 40]


def test_the_channels_use_is_kept_in_steps_and_gaps_stay_gaps():
    island = Island()
    for minute in range(30):
        if not 10 <= minute < 20:
            island.facts = replace(island.facts, channel_use=0.1 if minute < 10 else 0.3, use_at=float(minute + 1))
        island.now = START + (-START % STEP_S) + 60 * minute
        island.tell(LinkChanged("other", True))
    assert island.status().history.channel_use[-3:] == (0.1, None, 0.3)


def test_wishes_of_keepers_count_at_once_and_end_by_themselves():
    island = Island()
    assert island.air.governor.mean_s == 36
    island.air.obey(AirOrder(AirOrderKind.SHARE, 60, 50), island.now)
    assert island.air.governor.mean_s == 180 and island.status().airtime.wishes.share_percent == 50
    island.now += 1_800
    assert island.status().airtime.wishes.share_s == 1_800
    island.tell(LinkChanged("radio", False))
    island.facts = replace(island.facts, region="EU_433")
    island.tell(LinkChanged("radio", True))  # the radio comes back: the wish still counts
    assert island.air.governor.share == 0.5
    island.now += 1_800
    assert island.status().airtime.wishes.share_s == 0 and island.air.governor.mean_s == 36
    island.air.obey(AirOrder(AirOrderKind.SHARE, 60, 50), island.now)
    island.air.obey(AirOrder(AirOrderKind.SHARE), island.now)
    assert island.air.governor.mean_s == 36 and island.status().airtime.wishes.share_s == 0


@pytest.mark.parametrize(("order", "fits"), [
    (AirOrder(AirOrderKind.SUMMARY), True), (AirOrder(AirOrderKind.SILENCE, 60), True),
    (AirOrder(AirOrderKind.SILENCE, 61), False), (AirOrder(AirOrderKind.SILENCE, 60 * 24 * 30), False),
    (AirOrder(AirOrderKind.SHARE, 60, 50), True), (AirOrder(AirOrderKind.SHARE, 60, 100), False),
    (AirOrder(AirOrderKind.SHARE, 60), False), (AirOrder(AirOrderKind.SHARE), True)])
def test_no_wish_lasts_beyond_a_day_or_takes_more_than_half_of_the_law(order, fits):
    assert order.fits is fits


def test_the_log_is_bounded_whoever_speaks_and_however_long():
    log, event = AirLog(), PacketReceived("radio", b"x" * 50, snr_db=1.0, rssi_dbm=-80)
    for number in range(500):
        at = number * 1_000.0
        log.heard(Packet(number, 0, (Sum(1, 0, 1, 0),)), event, 1.0, at)
        log.sent(Send("radio", b"x", label="data"), None, 1.0, at)
    assert len(log.packets(at)) == MOST_PACKETS and len(log.history(at).channel_use) == STEPS
    assert log.signal(499).rssi_dbm == -80 and log.signal(499 - MOST_SIGNALS).rssi_dbm is None
    assert sum(log.history(at).sent_s["fresh"]) == pytest.approx(STEPS * STEP_S / 1_000, abs=2)
    assert log.history(at).total_s["fresh"] == 500 and set(log.history(at).total_s) == set(ALL_KINDS)
    assert log.history(at + 10 * 86_400).sent_s == {}, "a day later nothing of it is left"


def test_a_packet_in_words_counts_what_is_worth_counting():
    assert told_sections((Whole(b"a", True), Whole(b"b", True), Piece(b"1234", 2, 0, 100, b"x", False), Sum(1, 214, 4, 0),
                          Have(1, 60, 0, (1,), b"x"), Need(1, 0, (4, 5)), More(1, b"1234", 5, 3), Neighbours((1, 2)))) == (
        ("record", 2), ("piece-again", 1), ("holds", 214), ("filter", 60), ("lacks", 2), ("lacks-pieces", 3), ("hears", 2))


def test_islands_go_by_the_names_that_vouches_give_them(neighbourhood):
    names = AirNames(neighbourhood.liveset, neighbourhood.board.reader, SET.subkey("tag"))
    radio, *_ = neighbourhood.host.links
    addresses = [neighbour_name(address_of(key.key_id, SET.subkey("tag"))) for key in (ELSEWHERE, HERE)]
    seen = tuple(replace(one, name=name, island="") for one, name in
                 zip(radio.neighbours, [*addresses, "b00d"], strict=False))
    host = replace(neighbourhood.host, links=(replace(radio, neighbours=seen, packets=()),))
    named = names.named(host)
    assert [one.island for one in named.links[0].neighbours] == ["Île de la gare", "Île du canal", ""]
    assert names.named(host) is named, "it is worked out once"


def test_on_an_island_a_keepers_wish_reaches_every_radio_at_once(tmp_path):
    KeyFolder(tmp_path / "a").found("Belleville", "a")
    settings = Settings(NodeSettings("a", tmp_path / "a"), PortalSettings(), RadioSettings("none"), MqttSettings("none"))
    app = App(settings, ManualClock(RELEASED_AT + 86_400))
    app.open()

    def outlooks(urgent):
        return {app.runner.call(lambda one=one: one.outlook(Wish(1.0, urgent), app.timekeeper.now())).hold
                for one in app.governors.values()}

    try:
        app.runner.call(lambda: [one.reserved(10.0) for one in app.governors.values()])
        assert outlooks(False) == {""}
        app.board.steer(AirOrder(AirOrderKind.ONLY_URGENT, 60), "lea")
        assert (outlooks(False), outlooks(True)) == ({"only-urgent"}, {""})
        app.board.steer(AirOrder(AirOrderKind.SILENCE, 60), "lea")
        assert outlooks(True) == {"silence"}
        app.board.steer(AirOrder(AirOrderKind.SILENCE), "lea")
        app.board.steer(AirOrder(AirOrderKind.ONLY_URGENT), "lea")
        assert outlooks(False) == {""}
        app.board.steer(AirOrder(AirOrderKind.SUMMARY), "lea")
        with pytest.raises(DraftRefused):
            app.board.steer(AirOrder(AirOrderKind.SILENCE, 10_000), "lea")
        assert len(app.board.audit_log()) == 5
    finally:
        app.close()


def test_who_has_sent_much_waits_for_what_is_kept_for_others_and_the_page_says_so():
    island = Island()
    fairness = island.air._engine.context.transmissions.fairness
    fairness.lenient_until = 0.0  # its first evening is over
    used_up(island, 0.7)
    for number in range(12):
        island.post(bulletin(number))
        fairness.meet(KEY.key_id, island.now - START, 3)
    for other in range(6):
        fairness.meet(bytes([other]) * 8, island.now - START)
    island.run(60)
    told = island.status()
    row = next(row for row in told.queue.rows if row.hold != "sending")
    assert (row.claim, row.hold) == ("crowding", "hour-used") and row.wait_s > 3_000
    assert told.airtime.next_send_s == row.wait_s, "not what somebody else's packet would wait"
    outlooks = {one.claim: one for one in told.airtime.outlooks}
    assert outlooks["fair"].wait_s == 0 < outlooks["fair"].left_s and outlooks["crowding"].left_s == 0


def summary_of(island):
    """A SUM of one who holds what this island holds."""
    inventory = island.air._engine.context.inventory
    hour = inventory.hour(island.now)
    return inventory.sum(inventory.at(hour), hour, 8)


def test_an_island_is_said_to_hold_a_post_once_it_has_told_what_it_holds():
    island = Island()
    island.hear(Sum(1, 0, 1, 0), sender=NEAR)
    island.hear(Sum(1, 0, 1, 0), sender=NEAR + 1)

    def holders(raw, kept):
        return sum(one.has(record_id(raw), kept) for one in island.air.holdings(island.now))

    first, kept = bulletin(1), minute_of(island.now)
    assert len(island.air.holdings(island.now)) == 2
    island.post(first)
    island.run(120)
    assert holders(first, kept) == 0, "it was sent, and nobody has said that it came"
    island.hear(summary_of(island), sender=NEAR, sequence=2)
    assert holders(first, kept) == 1
    second, kept_then = bulletin(2), minute_of(island.now)
    island.post(second)
    island.run(120)
    assert (holders(first, kept), holders(second, kept_then)) == (1, 0)
    island.hear(Whole(second, True), sender=NEAR + 1, sequence=2)
    assert holders(second, kept_then) == 1, "it passed it on itself"
    island.hear(summary_of(island), sender=NEAR + 1, sequence=3)
    assert holders(first, kept) == 2
