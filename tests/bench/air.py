"""What the air costs: our protocol, two baselines and two bounds on the same simulated LongFast channel.

    python -m tests.bench.air --topology line --loss 0.2 --scenario steady --seeds 5
    python -m tests.bench.air --only ours --tune threshold=0.3 --tune gap_t=0.5,3     one choice of ours, other than it is

Bytes are bytes on the air, headers and the firmware's signatures included. Last line: one JSON object.
"""

import argparse
import gc
import json
import math
import pathlib
import random
import statistics
import sys
from dataclasses import replace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from node.model.record import record_id
from node.sync.lora.tuning import TUNING
from radio.sim import topology
from tests.bench.baselines import IdList, Push
from tests.bench.bounds import Oracle, backbone, frames_of, least_transmissions, oracle_rng
from tests.sim.archipelago import CHARTER, KEYS, MANY_KEYS, Archipelago, air_engine, bulletin

HOUR_S = 3600
SETTLE_S = HOUR_S  # islands know each other before anything is measured
GRACE_S = 24 * HOUR_S
OFF_S = 2 * HOUR_S  # the island that is off half of the time is off and on for so long
FLOOD_FACTOR, FLOOD_S = 100, 6 * HOUR_S


class Setup:
    """One seed's world: who hears whom, which records appear where and when, who is off when."""

    def __init__(self, args, seed):
        self.args, self.seed, self.rng = args, seed, random.Random(f"setup {seed}")
        shapes = {"line": topology.line, "grid": topology.grid, "cell": topology.cell}
        shape = shapes.get(args.topology)
        self.pairs = shape(args.nodes) if shape else topology.scattered(args.nodes, self.rng)
        plain = round(args.plain_relays * args.nodes)
        self.plain = set(self.rng.sample(range(args.nodes), plain))
        self.islands = [node for node in range(args.nodes) if node not in self.plain]
        self.raws = [bulletin(1000 * seed + number, self._size()) for number in range(args.records)]
        self.charter = CHARTER
        self.awaited = {record_id(raw) for raw in self.raws}  # whose delays count: what the flooder posts may be late
        self.held = {node: [] for node in self.islands}  # from the start
        self.posts, self.switches = [], []  # (at, node, raw), (at, node, on)
        self.groups = None  # apart until 0
        getattr(self, f"_{args.scenario}")()

    def _size(self):
        return self.rng.randint(300, 600) if self.rng.random() < 0.1 else self.rng.randint(120, 220)

    def _steady(self):
        self.posts = sorted((self.rng.uniform(0, self.args.hours * HOUR_S), self.rng.choice(self.islands), raw)
                            for raw in self.raws)
        node, at = self.rng.choice(self.islands), self.rng.uniform(0, OFF_S)
        while at < self.args.hours * HOUR_S:
            self.switches += [(at, node, False), (at + OFF_S, node, True)]
            at += 2 * OFF_S

    def _flood(self):
        """One island posts a hundred times too much, all under its own key; the others post as always, under theirs."""
        self._steady()
        self.switches, self.charter = [], MANY_KEYS
        self.posts = [(at, node, self._own(1000 * self.seed + number, node))
                      for number, (at, node, _) in enumerate(self.posts)]
        self.awaited = {record_id(raw) for _, _, raw in self.posts}
        count = round(self.args.flood * len(self.raws) / len(self.islands))
        more = [self._own(10**6 + 1000 * self.seed + number, self.islands[0]) for number in range(count)]
        self.posts = sorted(self.posts + [(self.rng.uniform(0, FLOOD_S), self.islands[0], raw) for raw in more])

    def _own(self, number, node):
        """A bulletin under an island's own key."""
        return bulletin(number, self._size(), charter=MANY_KEYS, key=KEYS[self.islands.index(node) % len(KEYS)])

    def _merge(self):
        """Two halves, each with half of the records, meet."""
        half = len(self.islands) // 2
        self.groups = self.islands[:half], self.islands[half:]
        for number, raw in enumerate(self.raws):
            for node in self.groups[number % 2]:
                self.held[node].append(raw)

    def _join(self):
        """The last island knows nothing."""
        for node in self.islands[:-1]:
            self.held[node] = list(self.raws)

    def _idle(self):
        for node in self.islands:
            self.held[node] = list(self.raws)

    @property
    def measured_s(self):
        """How long at least."""
        return self.args.hours * HOUR_S if self.args.scenario in ("steady", "idle", "flood") else 0


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
    world = Archipelago(setup.seed, setup.pairs, loss=args.loss, signs=not args.unsigned, max_payload=args.max_payload,
                        share=args.share, plain=setup.plain, engine=factory(scheme, setup),
                        charters=dict.fromkeys(setup.islands, setup.charter), tuning=tuned(args.tune))
    _prepare(world, setup)
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # as an island does once it is up
    before = world.air.counters["bytes"], sum(world.air.airtime_s.values())
    begun = world.now
    events = [(at, 0, node, raw) for at, node, raw in setup.posts] + [(at, 1, node, on) for at, node, on in setup.switches]
    posted = {}
    for at, kind, node, what in sorted(events, key=lambda event: event[:2]):
        world.run(begun + at - world.now)
        if kind:
            world.members[node].start(world.now) if what else world.members[node].stop(world.now)
        elif world.members[node].on:
            world.post(node, what)
            posted[record_id(what)] = world.now
    return _finish(world, setup, posted, before, begun)


def _prepare(world, setup):
    for node, raws in setup.held.items():
        world.members[node].hold(raws)
    if setup.groups:
        world.air.partition(*setup.groups)
    late = {setup.islands[-1]} if setup.args.scenario == "join" else set()
    world.start(*(node for node in setup.islands if node not in late))
    world.run(SETTLE_S)
    world.air.partition()
    world.start(*late) if late else None


def _finish(world, setup, posted, before, begun):
    last = world.now
    equal = world.run(max(begun + setup.measured_s - world.now, 0), until_equal=True) or world.equal()
    equal_after_s = world.now - last
    if not equal:
        equal = world.run(setup.args.grace * HOUR_S, until_equal=True)
        equal_after_s = world.now - last
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
        "hours": (world.now - begun) / HOUR_S, "slowest_ms": 1000 * world.slowest_s, "sends": dict(world.sends),
    }


def bounds(setup):
    """(lossless minimum, all-knowing sender), bytes on the air."""
    args = setup.args
    frames = {raw: frames_of(len(raw), args.max_payload, not args.unsigned) for raw in setup.raws}
    oracle, on = Oracle(setup.pairs, args.loss, oracle_rng(setup.seed)), set(range(args.nodes))
    if args.scenario in ("merge", "join"):
        for raw in setup.raws:
            oracle.hold(raw, [node for node, raws in setup.held.items() if raw in raws])
        oracle.settle(frames, on)
        starts = {raw: frozenset(node for node, raws in setup.held.items() if raw in raws) for raw in setup.raws}
        least = {start: least_transmissions(setup.pairs, start) for start in set(starts.values())}
        return sum(sum(frames[raw]) * least[starts[raw]] for raw in setup.raws), oracle.bytes
    events = [(at, 0, node, raw) for at, node, raw in setup.posts] + [(at, 1, node, up) for at, node, up in setup.switches]
    for _, kind, node, what in sorted(events, key=lambda event: event[:2]):
        if kind:
            on = on | {node} if what else on - {node}
            oracle.settle(frames, on)
        elif node in on:
            frames.setdefault(what, frames_of(len(what), args.max_payload, not args.unsigned))
            oracle.post(what, node, frames[what], on)
    posted = [raw for raw in frames if raw in oracle._holds]
    return sum(sum(frames[raw]) for raw in posted) * backbone(setup.pairs), oracle.bytes


def summary(runs, least):
    """The mean of the runs, and what they are beside the bounds."""
    delays = sorted(delay for one in runs for delay in one["delays"])
    mean = {name: statistics.fmean(one[name] for one in runs) for name in
            ("delivered", "converged", "bytes", "airtime_s", "equal_after_s", "hours")}
    minimum, oracle = (sum(column) / len(runs) for column in zip(*least, strict=True))
    result = {name: round(mean[name], 4 if mean[name] <= 1 else 1) for name in mean}
    result["median_s"], result["p95_s"] = (_reached(delays, percent) for percent in (50, 95))
    result["equal_after_s"] = result["equal_after_s"] if mean["converged"] == 1 else None
    result["vs_minimum"] = round(mean["bytes"] / minimum, 3) if minimum else None
    result["vs_oracle"] = round(mean["bytes"] / oracle, 3) if oracle else None
    result["airtime_s_per_hour"] = round(mean["airtime_s"] / mean["hours"], 2) if mean["hours"] else None
    result["slowest_event_ms"] = round(max(one["slowest_ms"] for one in runs), 1)
    return result


def _reached(delays, percent):
    """The delay within which so many were there; None if they never were."""
    delay = delays[len(delays) * percent // 100] if delays else math.inf
    return round(delay, 1) if delay < math.inf else None


def arguments(words=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topology", choices=["line", "grid", "random", "cell"], default="line")
    parser.add_argument("--scenario", choices=["steady", "merge", "join", "idle", "flood"], default="steady")
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--records", type=int, help="30, or 200 to merge and to join")
    parser.add_argument("--loss", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--plain-relays", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--grace", type=float, default=24, help="hours to wait for all to be equal")
    parser.add_argument("--flood", type=float, default=FLOOD_FACTOR, help="times what is usual, by one island, in 6 hours")
    parser.add_argument("--max-payload", type=int, default=188)
    parser.add_argument("--unsigned", action="store_true", help="firmware before 2.8")
    parser.add_argument("--share", type=float, help="of the legal duty cycle; default: as the product, 1 %% of the hour")
    parser.add_argument("--only", choices=["ours", "push", "idlist"])
    parser.add_argument("--tune", action="append", default=[], metavar="NAME=VALUE", help="of node.sync.lora.tuning")
    parser.add_argument("--json", action="store_true", help="nothing but the last line")
    args = parser.parse_args(words)
    args.records = args.records or (200 if args.scenario in ("merge", "join") else 30)
    return args


def main():
    """Run and print."""
    args = arguments()
    setups = [Setup(args, seed) for seed in range(args.first_seed, args.first_seed + args.seeds)]
    least = [bounds(setup) for setup in setups]
    report = {}
    for scheme in [args.only] if args.only else ["ours", "push", "idlist"]:
        runs = [run(scheme, setup) for setup in setups]
        report[scheme] = summary(runs, least)
        if not args.json:
            print(f"{scheme:7}", "  ".join(f"{name} {value}" for name, value in report[scheme].items()), flush=True)
            print("        packets", {name: sum(one["sends"].get(name, 0) for one in runs) // len(runs)
                                      for name in ("data", "repair", "sum", "need")})
    report["seeds"] = args.seeds
    print(json.dumps(report))
    return 0 if not math.isnan(args.loss) else 1


if __name__ == "__main__":
    sys.exit(main())
