"""What happens in the air bench: who holds what at first, who posts what and when, and who is off."""

import random
from itertools import chain

from node.model.record import record_id
from tests.bench.shapes import Layout, apart, layout, one_way, with_habits
from tests.sim.archipelago import CHARTER, KEYS, MANY_KEYS, bulletin
from tests.sim.evening import LATE_S, evening

HOUR_S = 3600
SETTLE_S = HOUR_S  # islands know each other before anything is measured
OFF_S = 2 * HOUR_S  # the island that is off half of the time is off and on for so long
FLAP_S = 20 * 60  # a relay that comes and goes is off and on for so long
FLOOD_FACTOR, FLOOD_S = 100, 6 * HOUR_S
SCENARIOS = "steady", "merge", "join", "idle", "flood", "first-evening"


class Setup:
    """One seed's world: who hears whom, which records appear where and when, who is off when."""

    def __init__(self, args, seed):
        self.args, self.seed, self.rng = args, seed, random.Random(f"setup {seed}")
        self.posts, self.switches = [], []  # (at, node, raw), (at, node, on), as seen from 0
        self._lay(layout(args.topology, args.nodes, args.plain_relays, self.rng))
        self.raws = [bulletin(1000 * seed + number, self._size()) for number in range(args.records)]
        self.charter = CHARTER
        self.awaited = {record_id(raw) for raw in self.raws}  # whose delays count: what the flooder posts may be late
        self.held = {node: [] for node in self.islands}  # from the start
        self.groups = None  # apart until 0
        self.asleep = set()  # islands that are off until a switch says otherwise
        self.settle_s = SETTLE_S
        self.complete_s = 0  # from then on it counts how long it takes till all are equal
        getattr(self, f"_{args.scenario}".replace("-", "_"))()

    def _lay(self, made):
        rng = random.Random(f"radios {self.seed}")
        self.layout = with_habits(one_way(apart(made, self.args.apart, rng), self.args.one_way, rng), self.args, rng)
        self.islands = self.layout.islands
        if self.args.flapping and self.layout.plain:
            node, times = rng.choice(sorted(self.layout.plain)), int(self.args.hours * HOUR_S / FLAP_S / 2)
            self.switches = [(FLAP_S * time, node, bool(time % 2)) for time in range(2 * times)]  # it is on in the end

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
        self.switches = [one for one in self.switches if one[1] in self.layout.plain]
        self.charter = MANY_KEYS
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
        self.asleep, self.switches = {self.islands[-1]}, [(0, self.islands[-1], True)]

    def _idle(self):
        for node in self.islands:
            self.held[node] = list(self.raws)

    def _first_evening(self):
        """Three islands that know nobody: founded, invited, posted to."""
        begun = evening(self.seed, self.args.plain_between, self.args.one_late)
        self._lay(Layout(len(begun.held) + len(begun.plain), begun.pairs, frozenset(begun.plain)))
        self.charter, self.held, self.settle_s = begun.charter, begun.held, 0
        self.posts, self.asleep, self.switches = begun.posts, begun.late, [(LATE_S, node, True) for node in begun.late]
        self.raws, self.complete_s = [], LATE_S if begun.late else 0
        self.awaited = {record_id(raw) for _, _, raw in self.posts}

    @property
    def events(self):
        """(at, 0, node, whether it is on from then) and (at, 1, node, the record it posts), in order of time."""
        kinds = enumerate((self.switches, self.posts))
        return sorted(((at, kind, *what) for kind, some in kinds for at, *what in some), key=lambda event: event[:2])

    @property
    def records(self):
        """All there are, each once."""
        posted = (raw for _, _, raw in self.posts)
        return list(dict.fromkeys(chain(self.raws, *self.held.values(), posted)))

    @property
    def measured_s(self):
        """How long at least."""
        return self.args.hours * HOUR_S if self.args.scenario in ("steady", "idle", "flood") else 0
