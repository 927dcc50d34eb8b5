"""Small worlds hold, are the same each time, and notice what must not pass. Large ones: `python -m tests.world`."""

import os
import subprocess
import sys

import pytest

from node.model.clock import minute_of
from node.model.record import Kind, Record, encode, record_id, sign
from tests.effort import EFFORT
from tests.world.people import took_back
from tests.world.plan import Planned, Ran, plan_of, run, shrunk
from tests.world.steps import STEPS, StepKind

SMALL = 30
POSTS = ["post", "post", "carry", "withdraw"]


def planned(seed, *names):
    return [Planned(number, name, f"{seed} {number}") for number, name in enumerate(names)]


@pytest.mark.parametrize("seed", range(2 * EFFORT))
def test_a_small_world_holds_whatever_happens_in_it(seed):
    ran = run(seed, plan_of(seed)[:SMALL])
    assert ran.problem == "" and ran.done == SMALL and ran.counts["packets"] > 20


def test_the_same_seed_is_the_same_world_in_any_process():
    here = run(3, plan_of(3)[:8])
    steps = ",".join(map(str, range(8)))
    told = subprocess.run([sys.executable, "-m", "tests.world", "3", "--steps", steps], capture_output=True, text=True,
                          env=os.environ | {"PYTHONHASHSEED": "77"}, check=True).stdout
    assert f"digest {here.digest}" in told
    assert run(4, plan_of(4)[:8]).digest != here.digest


# What a world must notice, done to it by hand: each is a fault that the product does not have.


def forget(world, rng):
    """A card loses what was acknowledged."""
    if world.ledger.promises:
        one, island = first_promise(world)
        island.app.store.commit(delete=list(one.raws))


def forge(world, rng):
    """A set takes in what nobody may write, its signature unseen."""
    key, island = world.strangers[0], world.running()[0]
    record = Record(Kind.BULLETIN, world.islands[0].key.key_id, minute_of(world.now), 24, packed=b"\0")
    raw = encode(sign(record, world.charter.set_id, key.sign))
    world.ledger.unspoken.add(record_id(raw))
    change = island.liveset.propose([raw], world.now)
    for entry in change.admission.looked_at.values():
        entry.proven = True
    state = island.liveset._state
    entry = next(iter(change.admission.looked_at.values()))
    state.entries[entry.id] = entry
    island.liveset.revision += 1


def keep_a_copy(world, rng):
    """A copy of what was taken back stays in a corner of the card."""
    one, island = first_promise(world)
    before = set(world.ledger.raws)
    island.board.withdraw(one.root.hex(), one.code)
    took_back(world, island, one, before)
    (island.folder / "archive.db.old").write_bytes(next(iter(one.raws.values())))
    world.pass_time(6_000)


def send_too_much(world, rng):
    """A radio is on the air far longer than it may be."""
    island = world.running()[0]
    for _ in range(500):
        world.air.send(island.number, bytes(200), world.now)
        world.pass_time(4)


def raise_in_the_midst(world, rng):
    """Something raises that is logged and forgotten."""
    world.running()[0].app.runner.turn([object])
    world.running()[0].app.maintenance._do(lambda: 1 / 0)


def lose_a_word(world, rng):
    """What is shown is not what was signed."""
    one, island = first_promise(world)
    id_ = next(iter(one.raws))
    island.board.reader.texts._recent[id_] = one.word[::-1]


def put_somebody_out(world, rng):
    """A set ends a key, though nobody has revoked it."""
    island = world.running()[0]
    trust = island.liveset.trust
    trust.cuts = {world.islands[1].key.key_id: minute_of(world.now)}


def answer_again(world, rng):
    """An island forgets which questions on the network it has answered."""
    one, other = world.running()[:2]
    world.visit(one, other)
    other.app.lan._salts._kept.clear()
    for _ in range(20):
        STEPS["network_replay"].do(world, rng)


def older_again(world, rng):
    """An older version stands where a newer one did."""
    one, island = first_promise(world)
    entry = next(entry for entry in island.liveset.posts() if entry.root == one.root)
    island.newest[entry.author, entry.root] = (entry.created + 1, True, entry.id), entry.expires
    island.looked_at = None


def first_promise(world):
    one = next(one for one in world.ledger.promises.values() if one.state == "live")
    return one, next(island for island in world.running() if island.name == one.island)


NOTICED = [(forget, "has lost"), (forge, "which nobody signed"), (keep_a_copy, "is still in archive.db.old"),
           (put_somebody_out, "other rights"), (answer_again, "was asked before"), (older_again, "an older version"),
           (send_too_much, "on the air for"), (raise_in_the_midst, "ZeroDivisionError"), (lose_a_word, "otherwise")]


@pytest.mark.parametrize(("fault", "told"), NOTICED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_world_notices(monkeypatch, fault, told):
    monkeypatch.setitem(STEPS, "fault", StepKind(fault, 0, ""))
    ran = run(1, planned(1, *POSTS, "fault", *["come"] * 4))
    assert told in ran.problem and ran.counts["acknowledged"] > 0


def test_a_world_that_fails_is_run_again_with_fewer_steps():
    def live(seed, steps):
        names = [each.name for each in steps]
        return Ran(seed, "", {}, f"{len(names)} steps and lost" if {"post", "power_cut"} <= set(names) else "")

    few, problem = shrunk(1, planned(1, *["come", "forge"] * 3, "post", "rule", "power_cut", "come"), live=live)
    assert [each.name for each in few] == ["post", "power_cut"] and problem == "2 steps and lost"
