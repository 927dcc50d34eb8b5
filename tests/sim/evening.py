"""The first evening of a set: three islands in a line, the first founded it, the others join with invitations at once."""

import random
from dataclasses import dataclass, field

from node.model.clock import minute_of
from node.model.keys import Charter, SigningKey
from node.model.record import encode
from node.transfer.invitation import accept, offer, prepare
from tests.sim.archipelago import START, bulletin

LIFE_H = 30 * 24
POSTS = {0: 8, 2: 3}  # island -> how many it posts
POSTING_S = 120  # within so many seconds
LATE_S = 3600


@dataclass
class Evening:
    """What it begins with. `pairs`: who hears whom; `plain`: nodes that are mere relays; `held`: what each island has from
    its founding or its invitation; `posts`: (second, node, record);
    `late`: islands that are switched on `LATE_S` later, and post then."""

    charter: Charter
    pairs: list[tuple[int, int]]
    plain: set[int]
    held: dict[int, list[bytes]]
    posts: list[tuple[float, int, bytes]] = field(default_factory=list)
    late: set[int] = field(default_factory=set)


def evening(seed: int, plain: bool = False, late: bool = False) -> Evening:
    """`plain`: a node that is no island stands between the first two; `late`: the last one sleeps an hour."""
    rng = random.Random(f"evening {seed}")
    keys = [SigningKey(rng.randbytes(32)) for _ in range(3)]
    charter = Charter.found("evening", [keys[0].public], rng.randbytes(32))
    minute = minute_of(START)
    held: dict[int, list[bytes]] = {0: []}
    for island in (1, 2):
        once = rng.randbytes(32)
        invitation = prepare(charter, keys[0], once, offer(keys[0].key_id, once, minute, LIFE_H), [])
        held[0] += invitation.credentials
        held[island] = [*invitation.credentials, encode(accept(invitation, keys[island].public, f"Île {island}", minute))]
    pairs = [(0, 3), (3, 1), (1, 2)] if plain else [(0, 1), (1, 2)]
    asleep = {2} if late else set()
    posts = [(rng.uniform(0, POSTING_S) + LATE_S * (island in asleep), island,
              bulletin(100 * seed + 10 * island + number, rng.randint(120, 220), charter=charter, key=keys[island]))
             for island, count in POSTS.items() for number in range(count)]
    return Evening(charter, pairs, {3} if plain else set(), held, sorted(posts), asleep)
