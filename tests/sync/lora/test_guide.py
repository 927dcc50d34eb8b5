"""By radio alone: the set's secret is renewed while an island is off, and who has left hears nothing new."""

from collections import Counter
from itertools import pairwise

import pytest

from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.record import Kind, decode, record_id
from node.sync.codes.erasure import MAX_PARTS, MAX_PIECES
from node.sync.events import PacketReceived
from node.sync.lora.packets import Piece, Whole
from node.sync.lora.packets import decode as decode_packet
from node.sync.lora.tuning import TUNING
from radio.sim.topology import cell, line
from tests.sim.archipelago import LINK, START
from tests.sim.renewing import RenewingArchipelago
from tests.sim.village import T0, Village, secret_of

BEGIN = minute_of(START) - T0  # in minutes of a village
HOUR, DAY_S = 3600, 86_400
MEMBERS = ("founder", "ana", "ben")


@pytest.fixture
def village():
    return Village("founder", "second", "third")


def archipelago(village, pairs, names, seed=1, **how):
    """Islands of these keys, all vouched for, that have met."""
    world = RenewingArchipelago(seed, pairs, village, names, **{"loss": 0.2, "signs": True, "share": 0.5} | how)
    for member in world.members.values():
        member.hold([village.vouch("founder", name, minute=BEGIN, life=20_000) for name in names])
    world.start()
    world.live(HOUR)
    return world


def minute(world):
    return minute_of(world.now) - T0


def renew(world, village, *names, founder="founder", node=0, wait=60, secret=b"new"):
    raw, = village.renew(founder, *names, minute=minute(world), wait=wait, secret=secret)
    world.post(node, raw)
    return raw


@pytest.mark.parametrize("seed", range(2))
def test_a_renewal_reaches_all_before_its_hour_and_nothing_is_lost_at_the_change(village, seed):
    names = ["founder", "ana", "ben", "cleo", "dario"]
    world, posts = archipelago(village, line(5), names, seed), []
    renew(world, village, *names)
    for number in range(8):  # people post before, at and after the minute of change
        posts.append(village.bulletin(names[number % 5], f"avis {number}", minute=minute(world), life=400))
        world.post(number % 5, posts[-1])
        world.live(900)
    world.live(6 * HOUR)
    assert world.secrets() == [secret_of(b"new")] * 5
    assert all({record_id(raw) for raw in posts} <= member.ids for member in world.members.values())


@pytest.mark.parametrize("seed", range(2))
def test_an_island_that_was_off_is_led_over_by_radio_and_loses_nothing(village, seed):
    world = archipelago(village, line(3), MEMBERS, seed)
    ben = world.members[2]
    ben.stop(world.now)
    own = village.bulletin("ben", "posé pendant ce temps", minute=minute(world), life=2_000)
    renewal = renew(world, village, *MEMBERS)
    world.live(3 * HOUR)
    post = village.bulletin("ana", "nouvelle", minute=minute(world), life=2_000)
    world.post(1, post)
    world.live(DAY_S)
    ben.hold([own])
    packets = overheard(world)
    ben.start(world.now)
    since = world.now
    world.live(DAY_S)
    assert world.secrets() == [secret_of(b"new")] * 3
    led = [section.index for node, packet in readable(packets, village, bytes(32)) for section in packet.sections
           if node == 1 and isinstance(section, Piece) and section.short_id == record_id(renewal)[:4]]
    assert led and all(later == (index + 1 if index + 1 < MAX_PIECES else MAX_PARTS) for index, later in pairwise(led))
    assert ben.moved_at - since < 6 * HOUR
    assert all({record_id(own), record_id(post)} <= member.ids for member in world.members.values())


def overheard(world):
    """All packets that go out from now on."""
    packets, send = [], world.air.send

    def noted(node, payload, *given):
        packets.append((node, payload))
        return send(node, payload, *given)

    world.air.send = noted
    return packets


def readable(packets, village, secret):
    """Who said what that can be read with a secret."""
    key, read = type(village.charter)(village.charter.name, village.charter.founders, secret).subkey("tag"), []
    for node, payload in packets:
        try:
            read.append((node, decode_packet(payload, key)))
        except RemoteFault:
            continue
    return read


def test_who_left_hears_nothing_new_and_is_led_nowhere(village):
    """The leaver has its card, the old secret, and a radio that speaks all the time."""
    world = archipelago(village, cell(3), MEMBERS)
    world.post(0, village.revoke("founder", "ben", since=minute(world), minute=minute(world), life=20_000))
    world.live(HOUR)
    renew(world, village, "founder", "ana")
    world.live(2 * HOUR)
    packets, ben = overheard(world), world.members[2]
    for number in range(6):
        world.post(number % 2, village.bulletin(MEMBERS[number % 2], f"entre nous {number}", minute=minute(world), life=99))
        ben.carry_out(ben.replica.publish([village.bulletin("ben", f"?{number}", minute=minute(world))], world.now)[1],
                      world.now)
        world.live(HOUR)
    assert world.secrets() == [secret_of(b"new"), secret_of(b"new"), bytes(32)]
    assert world.members[0].ids == world.members[1].ids
    assert len(packets) > 6 and any(node == 2 for node, _ in packets)
    assert [node for node, _ in readable(packets, village, bytes(32)) if node != 2] == []
    kinds = Counter(decode(ben.replica.liveset.raw(id_)).kind for id_ in ben.ids)
    assert Kind.RENEWAL in kinds and b"entre nous" not in b"".join(map(ben.replica.liveset.raw, ben.ids))


def test_who_speaks_in_the_name_of_a_member_with_the_old_secret_gets_the_renewal_alone_and_seldom(village):
    world = archipelago(village, cell(3), MEMBERS)
    ben = world.members[2]
    ben.stop(world.now)
    renewal = renew(world, village, *MEMBERS, wait=0)
    world.live(HOUR)
    looks = world.look
    world.look = lambda member: looks(member) if member is not ben else None  # who has the old secret alone never moves
    ben.start(world.now)
    packets = overheard(world)
    before = [world.members[node].engine.earlier_heard_at or 0.0 for node in (0, 1)]
    for number in range(12):
        world.post(0, village.bulletin("ana", f"secret {number}", minute=minute(world), life=400))
        world.live(HOUR)
    assert all(world.members[node].engine.earlier_heard_at > at for node, at in enumerate(before))
    told = [packet for node, packet in readable(packets, village, bytes(32)) if node != 2]
    assert told and all(isinstance(section, Piece | Whole) for packet in told for section in packet.sections)
    assert {section.short_id for packet in told for section in packet.sections if isinstance(section, Piece)} \
        <= {record_id(renewal)[:4]}
    rounds = 12 * HOUR / TUNING.max_led_again_s + 4  # it is led each two hours at most, but for the first times
    assert len(told) <= 2 * rounds * (1 + TUNING.led_extra)


def test_one_of_three_leads(village):
    names = ["founder", "ana", "cleo", "ben"]
    counts = []
    for seed in range(3):
        world = archipelago(village, cell(4), names, seed, loss=0.0)
        world.members[3].stop(world.now)
        renew(world, village, *names, wait=0)
        world.live(2 * HOUR)
        packets = overheard(world)
        world.members[3].start(world.now)
        world.live(2 * HOUR)
        assert world.secrets() == [secret_of(b"new")] * 4
        counts.append(len({node for node, _ in readable(packets, village, bytes(32))} - {3}))
    assert sum(counts) < 2 * len(counts), counts


def test_those_who_followed_a_founder_that_was_cut_are_led_back(village):
    world = archipelago(village, line(3), ("founder", "ana", "ben"))
    renew(world, village, *MEMBERS, founder="third", secret=b"bad")
    world.live(3 * HOUR)
    assert world.secrets() == [secret_of(b"bad")] * 3
    ben = world.members[2]
    ben.stop(world.now)
    for name in ("founder", "second"):
        world.post(0, village.revoke(name, "third", since=BEGIN, minute=minute(world), life=20_000))
    world.live(6 * HOUR)
    assert world.secrets()[:2] == [bytes(32)] * 2
    ben.start(world.now)
    world.live(DAY_S)
    assert world.secrets() == [bytes(32)] * 3


def test_noise_and_forgeries_under_an_old_secret_change_nothing(village):
    world = archipelago(village, line(2), ("founder", "ana"))
    renew(world, village, "founder", "ana", wait=0)
    world.live(HOUR)
    member = world.members[0]
    rng, before = world.members[0].engine.context.rng, member.ids
    for size in range(1, 232):
        member.handle(PacketReceived(LINK, rng.randbytes(size), "x", 0), world.now)
    assert member.ids == before and member.replica.counters["dropped packet-earlier-secret"] == 0
