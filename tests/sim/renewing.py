"""Whole islands on a simulated air that follow the set's secret from one generation to the next, as the daemon does."""

from dataclasses import replace

from node.model.clock import minute_of
from node.replica.generations import Generation, at_minute, former
from node.sync.lora.context import Former, Identity, address_of
from node.sync.lora.engine import AirEngine
from tests.sim.archipelago import Archipelago

LOOK_S = 20


def engine(member, channel, liveset, key, rng):
    """With the earlier secrets that this member knows."""
    me = member.key.key_id
    tags = [(replace(member.charter, secret=one.secret).subkey("tag"), one.founder) for one in former(member.known)]
    formers = tuple(Former(tag, address_of(me, tag), founder) for tag, founder in tags)
    return AirEngine(channel, liveset, Identity(key, address_of(me, key), formers), rng, member.world.tuning)


class RenewingArchipelago(Archipelago):
    """`village`: its charter and keys; node number n is the island of the key `names[n]`."""

    def __init__(self, seed, pairs, village, names, **how):
        super().__init__(seed, pairs, charters={node: village.charter for node in range(len(names))}, engine=engine, **how)
        for node, member in self.members.items():
            member.key, member.known = village.key(names[node]), (Generation(village.charter.secret),)
            member.moved_at = None

    def live(self, seconds):
        """Let time pass; islands look for a new secret each LOOK_S, and start anew when there is one."""
        end = self.now + seconds
        while self.now < end:
            self.run(min(LOOK_S, end - self.now))
            for member in self.members.values():
                self.look(member)

    def look(self, member):
        if not member.on:
            return
        known = at_minute(member.known, member.replica.liveset, member.key, minute_of(self.now + member.skew_s))
        if (known[0].secret, former(known)) != (member.known[0].secret, former(member.known)):
            member.known, member.charter, member.moved_at = known, replace(member.charter, secret=known[0].secret), self.now
            member.stop(self.now)
            member.start(self.now)
        member.known = known

    def secrets(self):
        """What each island speaks with."""
        return [member.known[0].secret for member in self.members.values()]


