"""A plan is what happens in a world, step by step. One that fails is run again with fewer steps while it still fails."""

import math
import random
import re
import signal
import time
from dataclasses import dataclass

from tests.world import breaking, harm, people
from tests.world.healing import all_may_post, heal, lacking, lead_home
from tests.world.invariants import equal, examine, healed, look
from tests.world.place import Place, Violation
from tests.world.steps import STEPS, faults
from tests.world.world import World

PARTS = breaking, harm, people  # each has steps
STEPS_A_WORLD = 160
EXAMINE_EVERY = 8
HEAL_H, ALONE_H = 36, 120  # until all are equal: with a network or a broker, by radio alone
HEALED_LOSS = 0.1
MOST_TRIES = 60
STEP_S = 200  # of a processor: what has not ended by then never will


class Endless(BaseException):
    """Something does not end. No product code takes that for an error of its own."""


@dataclass(frozen=True)
class Planned:
    """One step of a plan, and its own seed."""

    number: int
    name: str
    seed: str


@dataclass
class Ran:
    """What became of a world: its digest, what it counted, what did not hold ("" if all did), and after how many hours it
    was whole."""

    seed: int
    digest: str
    counts: dict
    problem: str = ""
    healed_h: float = 0.0
    done: int = 0
    slowest_s: float = 0.0  # of a processor, one turn of a runner


def plan_of(seed, steps=STEPS_A_WORLD):
    """The steps of a seed's world."""
    rng = random.Random(f"{seed} plan")
    place = Place.of(random.Random(f"{seed} place"), faults())
    names = sorted(STEPS)
    weights = [STEPS[name].weight * (place.rates[STEPS[name].fault] if STEPS[name].fault else 1.0) for name in names]
    return [Planned(number, name, f"{seed} {number}") for number, name in enumerate(rng.choices(names, weights, k=steps))]


def run(seed, planned=None, trace=None):
    """A world from its beginning to its healing. Whatever does not hold, or is raised, ends it."""
    planned = plan_of(seed) if planned is None else planned
    world = World(seed, faults(), trace)
    ran = Ran(seed, "", world.counts)
    handler = signal.signal(signal.SIGPROF, _end)
    try:
        _live(world, planned, ran)
        _heal(world, ran)
    except Endless:
        ran.problem = f"something does not end, in step {ran.done}"
    except Violation as violation:
        ran.problem = str(violation)
    except Exception as error:  # the product raised what it must not
        ran.problem = f"{type(error).__name__}: {error}"
        if trace:
            raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        ran.slowest_s = world.slowest_s
        world.note([sorted(island.liveset.ids()) for island in world.running()])
        ran.digest = world.digest.hexdigest()
        world.close()
    return ran


def _end(*_):
    raise Endless


def _live(world, planned, ran):
    world.reachable = {island.number for island in world.islands} if world.place.broker else set()
    for island in world.islands:
        world.connect(island)
    for each in planned:
        signal.setitimer(signal.ITIMER_PROF, STEP_S)
        rng = random.Random(each.seed)
        world.say(each.name)
        world.note((each.name, round(world.now, 3)))
        STEPS[each.name].do(world, rng)
        world.pass_time(rng.uniform(1, 240))
        ran.done += 1
        (examine if ran.done % EXAMINE_EVERY == 0 else look)(world)


def _heal(world, ran):
    """Everything that can be mended is; then all are equal within a bound."""
    signal.setitimer(signal.ITIMER_PROF, STEP_S)
    heal(world, HEALED_LOSS)
    examine(world)
    began, most_s = world.now, 3_600 * (HEAL_H if world.place.broker or world.place.lan else ALONE_H)
    while world.now - began < most_s:
        signal.setitimer(signal.ITIMER_PROF, STEP_S)
        world.pass_time(1_800)
        look(world)
        if world.now - began > 4 * 3_600:
            lead_home(world)
        if world.now - began > 7_200 and equal(world):
            break
    ran.healed_h = (world.now - began) / 3_600
    world.check(equal(world), f"not all islands hold the same after {ran.healed_h:.0f} h: {lacking(world)}")
    world.pass_time(5_400)  # what was withdrawn last is erased, what waited comes
    examine(world)
    if equal(world):
        healed(world)
    world.check(all_may_post(world), "an island takes no post")


def sort_of(problem):
    """A problem without what differs from world to world."""
    return re.sub(r"[0-9a-f]{8,}|[\d.]+|\b[bcdfghjklmnpqrstvwxz]{9}\b|\{.*|\(.*", "", problem)


def shrunk(seed, planned, until=math.inf, live=run):
    """Fewer steps, with which it still fails (ddmin: Zeller and Hildebrandt, 2002), and how it fails with them.

    `live(seed, planned)` is a world of those steps; no other is tried from the moment `until` on (monotonic).
    """
    tries = MOST_TRIES
    problem, parts = live(seed, planned).problem, 2
    sort = sort_of(problem)
    while len(planned) > 1 and tries > 0 and time.monotonic() < until:
        size = -(-len(planned) // parts)
        for first in range(0, len(planned), size):
            fewer = planned[:first] + planned[first + size:]
            tries -= 1
            found = live(seed, fewer).problem
            if found and sort_of(found) == sort:
                planned, problem, parts = fewer, found, max(parts - 1, 2)
                break
            if tries <= 0 or time.monotonic() >= until:
                break
        else:
            if parts >= len(planned):
                break
            parts = min(2 * parts, len(planned))
    return planned, problem

