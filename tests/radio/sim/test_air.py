"""The simulated air behaves as LoRa radios under the Meshtastic firmware do."""

import random
from itertools import pairwise

import pytest

from radio.lora import LONG_FAST, PRESETS, frame_bytes, time_on_air_s
from radio.sim.air import MAX_CONTENTION, MAX_QUEUE, MIN_CONTENTION, Air, Delivered, Frame, Mischief, Overheard, Sent
from radio.sim.habits import Habits, Role, SenderLimit
from radio.sim.topology import (
    barbell,
    caterpillar,
    cell,
    city,
    connected,
    grid,
    hubs,
    lay,
    line,
    ring,
    scattered,
    star,
    tree,
)


def make(pairs, seed=1, loss=0.0, habits=None, **options):
    air = Air(random.Random(seed), **options)
    lay(air, pairs, loss, habits=habits or {})
    return air


def run(air, until=3600.0):
    happened = air.advance(until)
    assert all(one.at <= other.at for one, other in pairwise(happened))
    return happened


def play(air, sends):
    """Each of `sends` is (at, node, payload) or also hops; returns all that happened."""
    happened = []
    for at, *send in sends:
        happened += air.advance(at)
        air.send(send[0], send[1], at, *send[2:])
    return happened + run(air, 1e6)


def receivers(happened):
    return [one.node for one in happened if isinstance(one, Delivered)]


def test_a_frame_reaches_all_neighbours_and_nobody_else_when_its_time_on_air_is_over():
    air = make([*line(3), (3, 4)])
    air.send(1, bytes(100), 10.0)
    happened = run(air)
    assert sorted(receivers(happened)) == [0, 2]
    contention_s = happened[0].at - 10 - time_on_air_s(100)
    assert 0 <= contention_s <= 7 * LONG_FAST.slot_s
    assert [one.node for one in happened if isinstance(one, Sent)] == [1]


def test_time_runs_faster_with_a_faster_preset():
    air = make(line(2), modem=PRESETS["SHORT_FAST"])
    air.send(0, bytes(231), 0.0)
    assert run(air)[-1].at < 0.204 + 7 * PRESETS["SHORT_FAST"].slot_s + 0.001


def test_one_seed_gives_one_story_and_another_seed_another():
    def story(seed):
        air = make(grid(9), seed, loss=0.3)
        return play(air, [(second, second % 9, bytes([second]), 3) for second in range(0, 200, 3)])

    assert story(5) == story(5) != story(6)


def test_each_receiver_loses_its_own_share():
    air = make(line(3), loss=0.25)
    heard = receivers(play(air, [(number * 10, 1, b"x") for number in range(400)]))
    assert 0.7 < heard.count(0) / 400 < 0.8 and 0.7 < heard.count(2) / 400 < 0.8
    assert air.counters["lost"] + len(heard) == 800


def test_neighbours_who_hear_each_other_take_turns():
    air = make(cell(6))
    for node in range(6):
        air.send(node, bytes(200), node * 0.2)
    assert len(receivers(run(air))) > 6 * 5 - 8
    assert air.counters["frames"] == 6


def test_hidden_senders_collide_at_the_one_between():
    air = make(line(3))
    air.send(0, bytes(200), 0.0)
    air.send(2, bytes(200), 0.5)
    assert receivers(run(air)) == []
    assert air.counters["collided"] == 2


def test_a_much_stronger_signal_survives_a_collision():
    air = make([])
    for node in range(3):
        air.add(node)
    air.path(0, 1, snr_db=9)
    air.path(2, 1, snr_db=2)
    air.send(0, b"near", 0.0)
    air.send(2, b"far", 0.3)
    assert [one.frame.payload for one in run(air) if isinstance(one, Delivered)] == [b"near"]


def test_who_sends_hears_nothing_meanwhile():
    air = make([])
    for node in range(3):
        air.add(node)
    air.path(0, 1)  # 0 does not hear 1 and will not wait for it
    air.send(1, bytes(200), 0.0)
    air.send(0, bytes(10), 0.5)
    assert receivers(run(air)) == []
    assert air.counters["deaf"] == 1


def test_a_frame_with_hops_left_is_passed_on_as_far_as_they_last():
    air = make(line(6))
    air.send(0, b"far", 0.0, hop_limit=3)
    hops = {one.node: one.hops for one in run(air) if isinstance(one, Delivered)}
    assert hops == {1: 0, 2: 1, 3: 2, 4: 3}


def test_a_frame_without_hops_or_muted_nodes_stay_where_they_are():
    air = make([])
    for node in range(3):
        air.add(node, Habits(Role.CLIENT_MUTE))
    lay(air, line(3))
    air.send(0, b"far", 0.0, hop_limit=3)
    assert receivers(run(air)) == [1]


def test_relays_keep_still_when_somebody_else_was_faster_and_the_sender_overhears_its_frame():
    air = make(cell(10), seed=4)
    air.send(0, b"flood", 0.0, hop_limit=3)
    happened = run(air)
    assert sorted(receivers(happened)) == list(range(1, 10))
    assert air.counters["relays-saved"] >= 7
    assert [one for one in happened if isinstance(one, Overheard) and one.node == 0]


def senders_of_a_flood(habits, seed, hop_limit=3):
    """Who sends in what order when one node of a cell of ten floods."""
    air = make(cell(10), seed, habits=habits)
    air.send(0, b"flood", 0.0, hop_limit)
    return [one.node for one in run(air) if isinstance(one, Sent)]


def test_a_router_passes_on_before_all_clients_which_then_keep_still():
    for seed in range(20):
        assert senders_of_a_flood({4: Habits(Role.ROUTER)}, seed) == [0, 4]


def test_routers_pass_on_whoever_was_faster():
    routers = dict.fromkeys((4, 5, 6), Habits(Role.ROUTER))
    for seed in range(20):
        assert sorted(set(senders_of_a_flood(routers, seed))) == [0, 4, 5, 6]


def test_a_late_router_passes_on_after_the_others_and_alone_as_a_client_does():
    sent = [senders_of_a_flood({4: Habits(Role.ROUTER_LATE)}, seed) for seed in range(20)]
    assert [one.count(4) for one in sent] == [1] * 20
    assert sum(one.index(4) > 1 for one in sent) > 10  # else it was the fastest
    assert sum(4 in senders_of_a_flood({}, seed) for seed in range(20)) < 10
    air = make(line(3), habits={1: Habits(Role.ROUTER_LATE)})
    air.send(0, b"far", 0.0, hop_limit=1)
    assert receivers(run(air)) == [1, 2]
    assert air.counters["relays-late"] == 0


def test_a_late_router_moves_behind_the_whole_window_of_the_others_and_only_once():
    habits = {3: Habits(Role.ROUTER_LATE), 1: Habits(Role.ROUTER)}
    air = make([(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)], habits=habits)
    air.send(0, b"flood", 0.0, hop_limit=3)
    sent = {one.node: one.at for one in run(air) if isinstance(one, Sent)}
    assert air.counters["relays-late"] == 1
    waited_s = sent[3] - LONG_FAST.time_on_air_s(frame_bytes(len(b"flood"))) - sent[1]
    assert waited_s > 2 * (2 * MAX_CONTENTION + 2**MIN_CONTENTION) * LONG_FAST.slot_s


def test_a_radio_with_a_limit_passes_on_so_many_frames_of_each_sender_in_a_window():
    air = make([(0, 1), (1, 2), (3, 1)], habits={1: Habits(limit=SenderLimit(3, window_s=300))})
    sends = [(float(second), 0, str(second).encode(), 1) for second in (0, 20, 40, 60, 80, 310, 330)]
    happened = play(air, sorted([*sends, (100.0, 3, b"other", 1)]))
    heard = [one.frame.payload for one in happened if isinstance(one, Delivered) and one.node == 2]
    assert heard == [b"0", b"20", b"40", b"other", b"310", b"330"]
    assert air.counters["relays-limited"] == 2


def test_a_copy_tells_who_sent_it_unless_old_firmware_did_or_it_began_with_no_hops():
    air = make(line(4), habits={2: Habits(names_itself=False)})
    air.send(0, b"far", 0.0, hop_limit=3)
    assert {one.node: one.relay for one in run(air) if isinstance(one, Delivered)} == {1: 0, 2: 1, 3: None}
    air.send(0, b"near", 100.0)
    assert [(one.sender, one.relay) for one in run(air) if isinstance(one, Delivered)] == [(0, None)]


def test_one_may_be_heard_by_whom_it_does_not_hear():
    air = make(line(2))
    air.deafen(1, 0)
    air.send(0, b"into the wind", 0.0)
    air.send(1, b"with the wind", 10.0)
    assert [one.frame.payload for one in run(air) if isinstance(one, Delivered)] == [b"with the wind"]
    air.partition()
    air.send(0, b"into the wind", 100.0)
    assert receivers(run(air)) == []


def test_nodes_apart_do_not_hear_each_other_until_they_meet_again():
    air = make(line(2))
    air.partition([0], [1])
    air.send(0, b"one", 0.0)
    assert receivers(run(air, 100)) == []
    air.partition()
    air.send(0, b"two", 100.0)
    assert receivers(run(air)) == [1]


def test_a_node_that_is_off_neither_sends_nor_hears_and_forgets_its_queue():
    air = make(line(2))
    air.send(1, b"lost with the power", 0.0)
    air.switch(1, False, 0.0)
    assert air.send(1, b"off", 1.0) is None
    air.send(0, b"unheard", 1.0)
    air.switch(1, True, 1.5)
    assert receivers(run(air)) == []
    air.send(0, b"heard", 4000.0)
    air.send(1, b"answer", 4010.0)
    assert [one.frame.payload for one in run(air, 5000.0) if isinstance(one, Delivered)] == [b"heard", b"answer"]


def test_a_queue_holds_sixteen_frames():
    air = make(line(2))
    assert [air.send(0, bytes([n]), 0.0) is not None for n in range(18)] == [True] * MAX_QUEUE + [False] * 2
    assert air.queued(0) == MAX_QUEUE
    run(air)
    assert air.queued(0) == 0 and air.counters["frames"] == MAX_QUEUE


def test_a_known_frame_sent_again_is_overheard_not_delivered():
    air = make(line(2))
    frame = Frame(0, 77, b"twice", 40, to=1)
    air.transmit(0, frame, 0.0)
    air.transmit(0, frame, 10.0)
    assert [type(one) for one in run(air) if not isinstance(one, Sent)] == [Delivered, Overheard]


def test_mischief_repeats_and_delays_what_is_delivered():
    air = make(line(2), mischief=Mischief(repeat=1.0, max_delay_s=50.0))
    happened = play(air, [(number * 5, 0, bytes([number])) for number in range(20)])
    heard = [one.frame.payload[0] for one in happened if isinstance(one, Delivered)]
    assert sorted(heard) == sorted([*range(20), *range(20)])
    assert heard != sorted(heard)


def test_bytes_seconds_and_channel_use_are_counted():
    air = make(line(2), signs=True)
    air.send(0, bytes(100), 0.0)
    run(air, 10.0)
    assert air.counters["bytes"] == 100 + 16 + 8 + 66 - 1
    assert air.airtime_s == {0: pytest.approx(time_on_air_s(100, signs=True))}
    assert air.utilisation(1, 10.0) == pytest.approx(time_on_air_s(100, signs=True) / 60)
    assert air.utilisation(1, 100.0) == 0


def test_what_is_for_one_node_is_encrypted_for_it_and_not_signed():
    air = make(line(2), signs=True)
    air.send(0, bytes(50), 0.0, to=1)
    run(air, 10.0)
    assert air.counters["bytes"] == 50 + 16 + 8 + 12 - 1


def test_nothing_is_left_to_happen_when_all_is_said():
    air = make(grid(9), loss=0.2)
    for node in range(9):
        air.send(node, b"x", 0.0, hop_limit=3)
    while (at := air.next_at()) is not None:
        air.advance(at)
    assert sum(air.queued(node) for node in range(9)) == 0


def test_shapes_have_the_pairs_they_should():
    assert line(3) == [(0, 1), (1, 2)]
    assert len(cell(20)) == 190
    assert sorted(grid(9)) == [(0, 1), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (3, 6), (4, 5), (4, 7), (5, 8), (6, 7),
                               (7, 8)]
    assert (0, 4) in grid(10) and (8, 9) in grid(10)
    for seed in range(20):
        pairs = scattered(12, random.Random(seed))
        assert connected(12, pairs)
    assert not connected(3, [(0, 1)])
    assert len(hubs(10)) == 3 + 7
    assert sorted(city(11)) == sorted([*cell(5), *((one + 5, other + 5) for one, other in cell(5)), (0, 5), (5, 10)])
    assert sorted(star(4)) == [(0, 1), (0, 2), (0, 3)]
    assert (3, 0) in ring(4)
    assert tree(6) == [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5)]
    assert caterpillar(5) == [(0, 1), (1, 2), (0, 3), (1, 4)]
    assert barbell(6) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
