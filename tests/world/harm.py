"""Who means harm in a world: strangers, members gone bad, whoever has a radio."""

from contextlib import suppress

from node.daemon.lora import RADIO
from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.record import Kind, Record, Revocation, Right, Vouch, encode, record_id, sign
from node.store.index import StoreFailed
from node.sync.events import PacketReceived
from node.sync.lora.packets import HEADER_BYTES, MAX_PACKET_BYTES, tag
from node.transfer.bundle import Header, write
from tests.world.place import STRANGER
from tests.world.steps import some_island, step


def harmful(world, key, kind, text, **fields):
    """The encoding of a record that is signed by whatever key."""
    created = fields.pop("created", minute_of(world.now))
    record = Record(kind, key.key_id, created, fields.pop("life", 48), packed=text.encode(), **fields)
    return encode(sign(record, world.charter.set_id, key.sign))


def bring(world, rng, raws):
    """Records reach an island in a bundle, or by a stranger's packet as from the air."""
    island = some_island(world, rng)
    if island is None:
        return
    header = Header(world.charter.set_id, bytes(8), minute_of(world.now), "Somebody")
    content = b"".join(write(header, raws))
    world.bag.append(content)
    world.deliver(island, content)


@step(2, "harm")
def strangers_write(world, rng):
    """Records of keys that nobody has vouched for."""
    key = rng.choice(world.strangers)
    raws = [harmful(world, key, Kind.BULLETIN, world.word(rng)) for _ in range(rng.choice((1, 5, 80)))]
    world.ledger.unspoken.update(map(record_id, raws))
    world.counts["harm"] += len(raws)
    bring(world, rng, raws)


@step(2, "harm")
def forge(world, rng):
    """True records with a word changed, in an island's name."""
    true = [raw for raw in list(world.ledger.raws.values())[-60:] if len(raw) > 90]
    if not true:
        return
    raws = []
    for _ in range(rng.choice((1, 6))):
        raw = bytearray(rng.choice(true))
        raw[rng.randrange(16, len(raw))] ^= 1 << rng.randrange(8)
        raws.append(bytes(raw))
    world.ledger.unspoken.update(record_id(raw) for raw in raws if record_id(raw) not in world.ledger.raws)
    world.counts["harm"] += len(raws)
    bring(world, rng, raws)


@step(1, "harm")
def member_floods(world, rng):
    """A member with a true vouch writes far too much, or dates far ahead."""
    if not world.guests:
        return
    guest, now = rng.choice(world.guests)[0], minute_of(world.now)
    created = now + rng.choice((0, 0, 2_000, 90_000, 900_000))
    raws = [harmful(world, guest, Kind.BULLETIN, world.word(rng), created=created, life=24)
            for _ in range(rng.choice((3, 40)))]
    world.ledger.signed(raws)
    world.counts["harm"] += len(raws)
    bring(world, rng, raws)


@step(2, "harm")
def member_oversteps(world, rng):
    """A member takes back what others wrote, puts islands out, lets a stranger in."""
    if not world.guests:
        return
    guest, stranger = rng.choice(world.guests)[0], rng.choice(world.strangers)
    roots = rng.sample(sorted(world.ledger.promises), min(4, len(world.ledger.promises)))
    raws = [harmful(world, guest, Kind.RETRACTION, "", target=root, life=72) for root in roots]
    subject = rng.choice(world.islands).key.key_id
    raws.append(harmful(world, guest, Kind.REVOCATION, "", life=50_000, detail=Revocation(subject, minute_of(world.now))))
    raws.append(harmful(world, guest, Kind.VOUCH, "Stranger", life=500, detail=Vouch(stranger.public, Right.WRITE)))
    world.ledger.signed(raws)
    strange = harmful(world, stranger, Kind.BULLETIN, world.word(rng))
    world.ledger.unspoken.add(record_id(strange))
    world.counts["harm"] += len(raws)
    bring(world, rng, [*raws, strange])


@step(3, "harm")
def air_harm(world, rng):
    """Who has a radio replays what was on the air, changes it, or speaks with the set's secret what makes no sense."""
    if not world.heard:
        return
    world.air.switch(STRANGER, True, world.now)
    for _ in range(rng.choice((1, 4, 12))):
        payload = bytearray(rng.choice(list(world.heard)[-80:]))
        for _ in range(rng.choice((0, 0, 1, 4))):
            payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.4 and len(payload) > HEADER_BYTES:
            key = world.charter.subkey("tag")
            payload[1:5] = tag(bytes(payload[:1] + payload[5:]), key)
        world.air.send(STRANGER, bytes(payload[:MAX_PACKET_BYTES]), world.now, rng.randint(0, 3))
        world.counts["harm"] += 1


@step(2, "harm")
def network_replay(world, rng):
    """Who recorded what islands asked each other on a network asks it again."""
    if world.visits:
        number, life, message = rng.choice(list(world.visits))
        island = world.island(number)
        if island.on and island.lives == life:
            world.counts["harm"] += 1
            with suppress(RemoteFault, StoreFailed):
                answer = world.guarded(island, lambda: island.board.transfer.trade(message))
                world.check(answer is None, f"{island.name} answers a question that was asked before")


@step(1, "harm")
def garbage(world, rng):
    """Octets that are nothing at all, by every way."""
    island = some_island(world, rng)
    if island:
        content = rng.randbytes(rng.choice((1, 17, 200)))
        world.counts["harm"] += 1
        world.tell(island, PacketReceived(RADIO, content, "0000"))
        if world.bag and island.on:
            old = bytearray(rng.choice(list(world.bag)))
            old[rng.randrange(len(old))] ^= 1 << rng.randrange(8)
            world.deliver(island, bytes(old))
        if island.on:
            world.guarded(island, lambda: island.board.transfer.trade(content))
