"""The air bench's command line."""

import argparse

from tests.bench import shapes
from tests.bench.scenarios import FLOOD_FACTOR, SCENARIOS

SHARES = {
    "apart": "of the islands, which hear no other island",
    "one-way": "of the pairs of nodes, of whom one does not hear the other",
    "muted": "of the islands, whose radios pass on nothing",
    "routers": "of the plain nodes, which have the role ROUTER",
    "late-routers": "of the plain nodes, which have the role ROUTER_LATE",
    "old-relays": "of the plain nodes, whose firmware does not say who sent a copy",
}


def arguments(description, words=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topology", choices=shapes.NAMES, default="line")
    parser.add_argument("--scenario", choices=SCENARIOS, default="steady")
    parser.add_argument("--nodes", type=int, help="10; star and hill: 12; mixed: 25")
    parser.add_argument("--records", type=int, help="30, or 200 to merge and to join")
    parser.add_argument("--loss", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--plain-relays", type=float, metavar="SHARE", help="of the nodes; hill and chain have their own")
    for name, what in SHARES.items():
        parser.add_argument(f"--{name}", type=float, default=0.0, metavar="SHARE", help=what)
    parser.add_argument("--sender-limit", type=int, metavar="FRAMES", help="of one sender, passed on in 5 minutes")
    parser.add_argument("--flapping", action="store_true", help="a plain node comes and goes (steady, flood and idle)")
    parser.add_argument("--plain-between", action="store_true", help="first evening: a plain node between two islands")
    parser.add_argument("--one-late", action="store_true", help="first evening: an island is switched on an hour later")
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
    args.nodes = args.nodes or shapes.NODES.get(args.topology, 10)
    args.plain_relays = shapes.PLAIN.get(args.topology, 0.0) if args.plain_relays is None else args.plain_relays
    args.records = args.records or (200 if args.scenario in ("merge", "join") else 30)
    return args
