"""What the air costs: our protocol, two baselines and three bounds on the same simulated LongFast channel.

    python -m tests.bench.air --topology line --loss 0.2 --scenario steady --seeds 5
    python -m tests.bench.air --topology mixed --plain-relays 0.8 --old-relays 0.5     other people's nodes in between
    python -m tests.bench.air --scenario first-evening --plain-between --only ours     minutes until all are equal
    python -m tests.bench.air --only ours --tune threshold=0.3 --tune gap_t=0.5,3     one choice of ours, other than it is

Bytes are bytes on the air, headers and the firmware's signatures included. Last line: one JSON object.
"""

import gc
import json
import math
import pathlib
import statistics
import sys
from dataclasses import replace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from node.model.record import record_id
from node.sync.lora.tuning import TUNING
from tests.bench.baselines import IdList, Push
from tests.bench.bounds import bounds
from tests.bench.channel import channel_use
from tests.bench.options import arguments
from tests.bench.scenarios import HOUR_S, Setup
from tests.sim.archipelago import Archipelago, air_engine

MEANS = "delivered", "converged", "bytes", "airtime_s", "equal_after_s", "hours", "busiest_channel_mean"
AIR = "airtime_s", "copies_s", "plain_s"  # told by the hour
SOON_MIN = 10, 20  # minutes in which the islands of a first evening should be equal


def tuned(choices):
    """The tuning with some of its fields, each as NAME=NUMBER or NAME=NUMBER,NUMBER for a span, other than they are."""
    fields = {}
    for name, text in (choice.split("=") for choice in choices):
        usual, numbers = getattr(TUNING, name), [float(number) for number in text.split(",")]
        fields[name] = tuple(numbers) if isinstance(usual, tuple) else type(usual)(numbers[0])
    return replace(TUNING, **fields)


def factory(scheme, setup):
    """The engine of each island."""
    if scheme == "push":
        return lambda member, channel, records, key, rng: Push(
            channel, records, member.name, [node for node in setup.islands if node != member.name], rng)
    if scheme == "idlist":
        return lambda member, channel, records, key, rng: IdList(channel, records, member.name, rng)
    return air_engine


def run(scheme, setup):
    """One run: a dict of what was measured."""
    args = setup.args
    world = Archipelago(setup.seed, setup.layout.pairs, args.loss, not args.unsigned, args.max_payload, args.share,
                        plain=setup.layout.plain, engine=factory(scheme, setup), tuning=tuned(args.tune),
                        charters=dict.fromkeys(setup.islands, setup.charter), habits=setup.layout.habits,
                        deaf=setup.layout.deaf)
    _prepare(world, setup)
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # as an island does once it is up
    before = world.air.counters["bytes"], sum(world.air.airtime_s.values())
    begun, world.log = world.now, []
    posted = {}
    for at, kind, node, what in setup.events:
        world.run(begun + at - world.now)
        if not kind:
            _switch(world, node, what)
        elif world.members[node].on:
            world.post(node, what)
            posted[record_id(what)] = world.now
    return _finish(world, setup, posted, before, begun)


def _switch(world, node, on):
    if node not in world.members:
        world.air.switch(node, on, world.now)
    elif on:
        world.members[node].start(world.now)
    else:
        world.members[node].stop(world.now)


def _prepare(world, setup):
    for node, raws in setup.held.items():
        world.members[node].hold(raws)
    if setup.groups:
        world.air.partition(*setup.groups)
    world.start(*(node for node in setup.islands if node not in setup.asleep))
    world.run(setup.settle_s)
    world.air.partition()


def _finish(world, setup, posted, before, begun):
    last = world.now
    equal = world.run(max(begun + setup.measured_s - world.now, 0), until_equal=True) or world.equal()
    equal_after_s = world.now - last
    if not equal:
        equal = world.run(setup.args.grace * HOUR_S, until_equal=True)
        equal_after_s = world.now - last
    minutes = (last + equal_after_s - begun - setup.complete_s) / 60 if equal else None
    world.run(max(begun + setup.measured_s - world.now, 0))
    members = [world.members[node] for node in setup.islands]
    wanted = set().union(*(member.ids for member in members)) | set(posted)
    awaited = {id_: at for id_, at in posted.items() if id_ in setup.awaited} or dict.fromkeys(wanted, begun)
    held = {node: {record_id(raw) for raw in raws} for node, raws in setup.held.items()}
    delays = [member.kept.get(id_, math.inf) - member.skew_s - at for id_, at in awaited.items()
              for member in members if id_ not in held[member.name] and member.kept.get(id_, math.inf) > at]
    return {
        "delivered": sum(len(member.ids) for member in members) / max(len(wanted) * len(members), 1),
        "converged": equal, "bytes": world.air.counters["bytes"] - before[0],
        "airtime_s": sum(world.air.airtime_s.values()) - before[1], "delays": delays, "equal_after_s": equal_after_s,
        "minutes": minutes, "hours": (world.now - begun) / HOUR_S, "slowest_ms": 1000 * world.slowest_s,
        "sends": dict(world.sends), **channel_use(setup.layout, world.log, world.now - begun),
    }


def summary(runs, least):
    """The mean of the runs, and what they are beside the bounds."""
    delays = sorted(delay for one in runs for delay in one["delays"])
    mean = {name: statistics.fmean(one[name] for one in runs) for name in (*MEANS, *AIR)}
    minimum, oracle, fair = (None if None in column else sum(column) / len(runs) for column in zip(*least, strict=True))
    result = {name: round(mean[name], 4 if mean[name] <= 1 else 1) for name in MEANS}
    result["median_s"], result["p95_s"] = (_reached(delays, percent) for percent in (50, 95))
    result["equal_after_s"] = result["equal_after_s"] if mean["converged"] == 1 else None
    result["vs_minimum"] = round(mean["bytes"] / minimum, 3) if minimum else None
    result["vs_oracle"] = round(mean["bytes"] / oracle, 3) if oracle else None
    result["vs_fair"] = round(mean["bytes"] / fair, 3) if fair else None
    for name in AIR:
        result[f"{name}_per_hour"] = round(mean[name] / mean["hours"], 2) if mean["hours"] else None
    result["busiest_channel"] = round(max(one["busiest_channel"] for one in runs), 4)
    result["slowest_event_ms"] = round(max(one["slowest_ms"] for one in runs), 1)
    return result


def evenings(minutes):
    """Of first evenings: how many minutes each took until all were equal (None: it never was), and how many were soon."""
    parts = {f"within_{limit}": statistics.fmean(one is not None and one <= limit for one in minutes) for limit in SOON_MIN}
    return {"minutes": [one and round(one, 1) for one in minutes]} | {name: round(part, 3) for name, part in parts.items()}


def _reached(delays, percent):
    """The delay within which so many were there; None if they never were."""
    delay = delays[len(delays) * percent // 100] if delays else math.inf
    return round(delay, 1) if delay < math.inf else None


def main():
    """Run and print."""
    args = arguments(__doc__)
    setups = [Setup(args, seed) for seed in range(args.first_seed, args.first_seed + args.seeds)]
    least = [bounds(setup) for setup in setups]
    report = {}
    for scheme in [args.only] if args.only else ["ours", "push", "idlist"]:
        runs = [run(scheme, setup) for setup in setups]
        report[scheme] = summary(runs, least)
        if args.scenario == "first-evening":
            report[scheme] |= evenings([one["minutes"] for one in runs])
        if not args.json:
            print(f"{scheme:7}", "  ".join(f"{name} {value}" for name, value in report[scheme].items()), flush=True)
            print("        packets", {name: sum(one["sends"].get(name, 0) for one in runs) // len(runs)
                                      for name in ("data", "repair", "sum", "need")})
    report["seeds"] = args.seeds
    print(json.dumps(report))
    return 0 if not math.isnan(args.loss) else 1


if __name__ == "__main__":
    sys.exit(main())
