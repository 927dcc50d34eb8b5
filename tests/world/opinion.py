"""What the second implementation, written from docs/protocol.md alone, says of an island's set: for what is live, who may
write and which version stands, no world takes the product's own word."""

from node.model.clock import minute_of
from node.model.record import Right, record_id
from node.replica.trust import FOREVER
from tests.second.asking import SecondReader


class Opinion:
    """One process of it, for one world."""

    def __init__(self, charter):
        self._reader, self._looked_at = SecondReader(), {}
        self._reader.answers([{"ask": "set", "name": charter.name, "founders": [one.hex() for one in charter.founders],
                               "secret": charter.secret.hex()}])

    def close(self):
        self._reader.close()

    def of(self, raws, minute):
        """{"live": ids, "reasons": {id: why not}, "cuts": ..., "rights": ...} of records held at a minute."""
        [answer] = self._reader.answers([{"ask": "live", "held": [raw.hex() for raw in raws], "now": minute}])
        return answer["ok"]


def same_set(world, island):
    """All that an island holds is live by the other one, too; keys have the same rights, and the same ends."""
    liveset, minute = island.liveset, minute_of(island.app.timekeeper.now())
    ids = sorted(liveset.ids(minute))
    told, trust = world.opinion.of(map(liveset.encoding, ids), minute), liveset.trust
    strange = {id_.hex() for id_ in ids}.symmetric_difference(told["live"])
    why = {id_: told["reasons"].get(id_, "it is live") for id_ in sorted(strange)[:3]}
    world.check(not strange, f"{island.name} holds what is not live, by the second implementation: {why}")
    rights = {one.hex(): [None if (end := standing.until(minute, right)) >= FOREVER else end for right in Right]
              for one, standing in trust.standings.items()}
    world.check(rights == told["rights"] and {one.hex(): since for one, since in trust.cuts.items()} == told["cuts"],
                f"{island.name} gives other rights than the second implementation")


def takes_in(world, island, raws):
    """What an island was handed whole is there, if by the other one it is live beside all else that the island holds."""
    liveset, minute = island.liveset, minute_of(island.app.timekeeper.now())
    held = set(liveset.ids())
    new = [raw for raw in raws if world.ledger.is_true(record_id(raw)) and record_id(raw) not in held]
    if new:
        live = set(world.opinion.of([*map(liveset.encoding, held), *new], minute)["live"])
        left = sorted(live & {record_id(raw).hex() for raw in new})
        world.check(not left, f"{island.name} has not taken in {left[:3]}, which it was handed")
