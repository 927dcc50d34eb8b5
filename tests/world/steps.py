"""What happens in a world: people, keepers, who carries sticks, who means harm, and what breaks. One function a step.

Each draws what it needs from a seed of its own, so that leaving out other steps changes as little of it as may be.
"""

from dataclasses import dataclass, replace

from node.board.api import BoardClosed, Draft, DraftRefused, Overtaken
from node.board.keyring import InviteWish, KeyRefused, VouchWish
from node.daemon.lora import RADIO
from node.model.clock import minute_of
from node.model.event import Event
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Revocation, Right, encode, record_id, sign
from node.store.index import StoreFailed
from node.sync.events import PacketReceived
from node.sync.lora.packets import HEADER_BYTES, MAX_PACKET_BYTES, tag
from node.textpack import pack
from node.transfer.bundle import Header, write
from tests.world.ledger import Promise
from tests.world.world import MOST_ISLANDS, STRANGER

CODEC = 0  # plain text, as members may send it
STEPS = {}
REFUSED = (BoardClosed, DraftRefused, Overtaken, KeyRefused)


@dataclass(frozen=True)
class Kindred:
    """A step: what to do, how often beside others, and of which kind of fault it is ("" if it is none)."""

    do: object
    weight: float
    fault: str


def step(weight, fault=""):
    """Make a function a step."""
    def made(do):
        STEPS[do.__name__] = Kindred(do, weight, fault)
        return do

    return made


def faults():
    """Every kind of fault."""
    return sorted({kindred.fault for kindred in STEPS.values() if kindred.fault})


def some_island(world, rng):
    """One that is on, or None."""
    running = world.running()
    return rng.choice(running) if running else None


def acted(world, island, work):
    """What a page does: its answer, None for none (the power went) or a refusal; and whether the power went."""
    life = island.lives
    try:
        answer = world.guarded(island, work)
    except REFUSED as refused:
        world.say(f"{island.name}: refused, {type(refused).__name__} {refused}")
        world.counts["refused"] += 1
        answer = None
    went = not island.on or island.lives != life
    world._look_at(island)
    return answer, went


# time and people


@step(14)
def let_pass(world, rng):
    """Some time."""
    world.pass_time(rng.choice((30, 120, 600, 1_800, 5_400)))


def draft_of(world, rng, word, kind):
    """What somebody types."""
    more = " " + rng.choice(("à 19 h", "place du marché", "bring a chair", "لقاء", "")) * rng.choice((1, 1, 1, 12))
    if kind is Kind.EVENT:
        start = minute_of(world.now) + rng.randint(30, 4_000)
        return Draft(kind, text=more.strip(), title=word, start=start, end=start + 90, place="Place")
    return Draft(kind, text=(word + more).strip(), life_days=rng.choice((1, 2, 14)))


def post_at(world, rng, island, draft, word):
    """Somebody posts at an island, and is told that it is kept, or not."""
    before = set(world.ledger.raws)
    who = world.some_visitor(rng) if rng.random() < 0.7 else None
    posted, went = acted(world, island, lambda: island.board.post(draft, visitor=who))
    if posted is not None:
        one = world.ledger.promise(posted, draft.kind, island, word)
        world.say(f"{island.name}: posted {word} {posted.id[:8]} {posted.waiting}")
        world.note((island.number, "posted", posted.id))
        return one
    if went:
        for id_ in sorted(set(world.ledger.raws) - before):
            maybe(world, island, id_, word, draft.kind)
    return None


def maybe(world, island, id_, word, kind):
    """It may be there, or not."""
    raw = world.ledger.raws[id_]
    world.ledger.promises[id_[:8]] = Promise(id_[:8], island.name, word, int(kind), raws={id_: raw}, state="unsure",
                                             author=island.key.key_id)


@step(9)
def post(world, rng):
    """A bulletin or an event."""
    island = some_island(world, rng)
    if island:
        word = world.word(rng)
        post_at(world, rng, island, draft_of(world, rng, word, rng.choice((Kind.BULLETIN, Kind.BULLETIN, Kind.EVENT))), word)


@step(1)
def post_urgently(world, rng):
    """A keeper posts something urgent."""
    island = some_island(world, rng)
    if island:
        word = world.word(rng)
        posted, _ = acted(world, island, lambda: island.board.post(
            Draft(Kind.BULLETIN, text=word, urgent=True, life_days=2), keeper="nadia"))
        if posted:
            world.ledger.promise(posted, Kind.BULLETIN, island, word)


@step(1)
def post_for_later(world, rng):
    """One that waits for its minute."""
    island = some_island(world, rng)
    if island:
        word = world.word(rng)
        at = island.board.now() + rng.randint(5, 600)
        post_at(world, rng, island, replace(draft_of(world, rng, word, Kind.BULLETIN), publish_at=at), word)


@step(3)
def reply(world, rng):
    """Somebody answers what they see, wherever that was posted."""
    island = some_island(world, rng)
    items = island.board.bulletins(limit=20).items if island else []
    if items:
        word = world.word(rng)
        post_at(world, rng, island, Draft(Kind.REPLY, text=word, target=rng.choice(items).id, life_days=2), word)


def own_promise(world, rng, states=("live",), kinds=(Kind.BULLETIN, Kind.EVENT)):
    """An island that is on, and something that was posted there."""
    island = some_island(world, rng)
    mine = [one for one in world.ledger.promises.values() if island and one.island == island.name and one.state in states
            and one.kind in kinds and one.code]
    return (island, rng.choice(mine)) if mine else (island, None)


@step(4)
def correct(world, rng):
    """An author corrects."""
    island, one = own_promise(world, rng)
    if one is None:
        return
    before = set(world.ledger.raws)
    draft = draft_of(world, rng, one.word, Kind(one.kind))
    posted, went = acted(world, island, lambda: island.board.correct(one.root.hex(), one.code, draft))
    new = set(world.ledger.raws) - before
    for id_ in new:
        one.raws[id_] = world.ledger.raws[id_]
    if posted:
        world.say(f"{island.name}: corrected {one.word}")
        id_ = bytes.fromhex(posted.id)
        if id_ in world.ledger.raws:
            one.raws[id_] = world.ledger.raws[id_]
        one.ends = max(one.ends, 0)
    if (posted or went) and one.state == "live":
        one.ends = 0  # how long its versions live is its author's affair: nothing is asked of it when it has healed


@step(4)
def withdraw(world, rng):
    """An author takes back."""
    island, one = own_promise(world, rng, ("live", "waiting"), (Kind.BULLETIN, Kind.EVENT, Kind.REPLY))
    if one is None:
        return
    before = set(world.ledger.raws)
    posted, went = acted(world, island, lambda: island.board.withdraw(one.root.hex(), one.code))
    if posted:
        took_back(world, island, one, before)
    elif went:
        one.state = "unsure"


def took_back(world, island, one, before):
    """Nobody is to see it any more."""
    world.say(f"{island.name}: took back {one.word}")
    made = sorted(set(world.ledger.raws) - before)
    one.state, one.ends_safe = "withdrawn", {island.name}
    one.retraction = made[0] if made else b""
    if not made:  # it had only waited
        one.state = "dropped"


@step(2)
def cancel(world, rng):
    """An event is called off, a bulletin is met: it stays, and says so."""
    island, one = own_promise(world, rng)
    if one:
        acted(world, island, lambda: island.board.withdraw(one.root.hex(), one.code, reason="pluie"))


@step(2)
def come(world, rng):
    """Some say that they will be there."""
    island = some_island(world, rng)
    now = island.board.now() if island else 0
    events = island.board.events(now, now + 5_000) if island else []
    if events:
        item = rng.choice(events)
        for number in range(rng.randint(1, 12)):
            acted(world, island, lambda number=number: island.board.come(item, lambda salt: number * 7919 % 1024))


@step(1)
def report(world, rng):
    """Somebody tells the keepers about a post."""
    island = some_island(world, rng)
    items = island.board.bulletins(limit=20).items if island else []
    if items:
        acted(world, island, lambda: island.board.report(rng.choice(items).id, "false", world.word(rng),
                                                         world.some_visitor(rng)))


# keepers


@step(2)
def hide(world, rng):
    """A keeper hides what somebody else's island signed, or shows it again."""
    island = some_island(world, rng)
    promises = [one for one in world.ledger.promises.values() if one.state == "live"]
    if not (island and promises):
        return
    one = rng.choice(promises)
    hidden = island.name not in one.hidden
    done, went = acted(world, island, lambda: island.board.hide(one.root.hex(), hidden, "nadia"))
    if done and hidden:
        one.hidden.add(island.name)
    elif done or went:
        one.hidden.discard(island.name)


@step(2)
def withdraw_as_keeper(world, rng):
    """A keeper takes back what this island signed; it can be undone for ten minutes."""
    island, one = own_promise(world, rng)
    if one is None:
        return
    cleared, went = acted(world, island, lambda: island.board.withdraw_as_keeper(one.root.hex(), "nadia"))
    if cleared and not cleared.withdrawn:
        return
    if went:
        one.state = "unsure"
    elif cleared:
        one.state, one.ends_safe = "clearing", {island.name}
        if rng.random() < 0.3:
            world.pass_time(rng.choice((60, 300)))
            if island.on:
                back, went = acted(world, island, lambda: island.board.undo(cleared.id, "nadia"))
                if back or went:
                    one.state = "unsure" if went else "live"
                    one.ends_safe = set()


@step(1)
def rule(world, rng):
    """A keeper wants to read posts first, or no longer."""
    island = some_island(world, rng)
    if island:
        acted(world, island, lambda: island.board.set_posting(rng.choice(("open", "moderated")), "nadia"))


@step(2)
def decide(world, rng):
    """A keeper goes through what waits."""
    island = some_island(world, rng)
    for waiting in island.board.waiting(10) if island else ():
        if not island.on:
            return
        one = world.ledger.promises.get(bytes.fromhex(waiting.item.id)[:8])
        if rng.random() < 0.7:
            _, went = acted(world, island, lambda: island.board.approve(waiting.item.id, "nadia"))
            if one and one.state == "waiting":
                out = not went and one.root.hex() and bytes.fromhex(waiting.item.id) in island.liveset
                one.state = "live" if out else "unsure"
        else:
            acted(world, island, lambda: island.board.refuse(waiting.item.id, "nadia"))
            if one:
                one.state = "unsure"


@step(1)
def handover(world, rng):
    """A keeper hands over."""
    island = some_island(world, rng)
    if island:
        acted(world, island, lambda: island.board.begin_handover("Samia", "nadia", "nadia"))
        if island.on and rng.random() < 0.5:
            acted(world, island, lambda: island.board.end_handover("nadia", 2))


@step(1)
def let_in(world, rng):
    """Somebody joins with an invitation: another island, or a member who is no island."""
    island = some_island(world, rng)
    if island is None:
        return
    if len(world.islands) < MOST_ISLANDS and rng.random() < 0.4:
        made, _ = acted(world, island, lambda: island.board.keyring.invite(InviteWish(days=60), "nadia"))
        if made:
            world.say(f"{island.name}: invited another island")
            newcomer = world.add_island()
            world.air.add(newcomer.number)
            world.air.connect(newcomer.number, island.number, world.loss)
            newcomer.join(made.letters)
            world.reachable |= {newcomer.number} if world.place.broker else set()
            world.power(newcomer)
        return
    guest = SigningKey(rng.randbytes(32))
    view, _ = acted(world, island, lambda: island.board.keyring.vouch(
        VouchWish(guest.public.hex(), f"Guest {len(world.guests)}", days=30), "nadia"))
    if view:
        world.guests.append((guest, island.name))


@step(1)
def put_out(world, rng):
    """A member that a keeper let in is put out again."""
    guests = [(guest, island) for guest, name in world.guests for island in world.running() if island.name == name]
    if not guests:
        return
    guest, island = rng.choice(guests)
    look, _ = acted(world, island, lambda: island.board.keyring.look(guest.key_id.hex(), None))
    if look and island.on:
        acted(world, island, lambda: island.board.keyring.revoke(look.label, "nadia", at_once=rng.random() < 0.5))


@step(0.5)
def renew(world, rng):
    """A founder renews the secret of the set: its key is on paper, and typed at an island."""
    from node.model.renewal import RenewalPlan, renewals
    island = some_island(world, rng)
    if island is None or world.counts["renewed"] >= 2:
        return
    look = island.app.secret.renewable(island.board.now())
    plan = RenewalPlan(rng.randbytes(32), tuple(look.seats.values()), look.created, look.created + rng.choice((10, 300)))
    seeds = iter(lambda: rng.randbytes(32), b"")
    raws = [encode(record) for record in renewals(plan, world.charter, world.founder, seeds)]
    world.ledger.signed(raws)
    world.say(f"{island.name}: the secret of the set is renewed")
    world.counts["renewed"] += 1
    acted(world, island, lambda: take_all(island, raws))


def take_all(island, raws):
    """As a page that hands records in."""
    try:
        return island.app.runner.take_in(raws, "post")
    except StoreFailed:
        return None


@step(1)
def set_clock(world, rng):
    """A keeper sets the clock, wrongly at times, and may take that back."""
    island = some_island(world, rng)
    if island:
        wrong = rng.random() < 0.4
        minute = minute_of(world.now) + (rng.choice((-600, 600, 9_000)) if wrong else 0)
        island.misled |= wrong
        acted(world, island, lambda: island.board.set_clock(minute, "nadia"))
        if island.on and rng.random() < 0.5:
            acted(world, island, lambda: island.board.undo_clock("nadia"))


# by hand and by cable


@step(5)
def carry(world, rng):
    """A stick is filled at one island and read at another, now or later."""
    island = some_island(world, rng)
    if island:
        content = world.bundle_of(island)
        if content:
            world.bag.append(content)
    if world.bag and world.running():
        content = rng.choice(list(world.bag)[-6:] if rng.random() < 0.7 else list(world.bag))
        world.deliver(some_island(world, rng), content)


@step(4)
def visit(world, rng):
    """Two islands meet on a network."""
    running = world.running()
    if len(running) > 1:
        one, other = rng.sample(running, 2)
        world.visit(one, other, rng.choice((0.0, 0.0, 0.3)), rng)


@step(2)
def paper(world, rng):
    """A record is typed off a sheet of paper."""
    running = world.running()
    if len(running) > 1:
        one, other = rng.sample(running, 2)
        items = one.board.bulletins(limit=10).items
        if items:
            letters, _ = one.board.transfer.letters(rng.choice(items).id)
            if letters:
                world.guarded(other, lambda: other.board.transfer.deliver_letters(letters))
                world._look_at(other)


# what breaks


@step(4, "power")
def power_cut(world, rng):
    """The power of an island goes, at any write of what comes next or at rest; it is back later."""
    island = some_island(world, rng)
    if island:
        if rng.random() < 0.7:
            island.card.cut_in = rng.randrange(40)
        else:
            world.cut(island)


@step(5)
def power_on(world, rng):
    """Whoever is off comes on."""
    for island in world.islands:
        if not island.on and rng.random() < 0.7:
            world.power(island)


@step(1, "power")
def restart(world, rng):
    """A clean stop, and a start."""
    island = some_island(world, rng)
    if island:
        world.stop(island)
        world.pass_time(rng.choice((1, 60, 7_200)))
        world.power(island)


@step(2, "card")
def card_fails(world, rng):
    """A card is full, read-only or fails at times, for a while or until somebody changes that."""
    island = rng.choice(world.islands)
    world.counts["card fault"] += 1
    island.card.mood = rng.choice(("full", "read-only", "flaky"))
    world.say(f"{island.name}: its card is {island.card.mood}")


@step(3)
def card_works(world, rng):
    """And works again."""
    for island in world.islands:
        if island.card.mood and rng.random() < 0.6:
            world.mend_card(island)


@step(1, "bits")
def flip_bits(world, rng):
    """A few bits of a card change while it is off."""
    island = rng.choice(world.islands)
    if island.on:
        world.stop(island)
    if not island.on:
        for _ in range(rng.choice((1, 1, 3))):
            world.flip(island, rng)
        world.power(island)


@step(2, "clock")
def clock_jumps(world, rng):
    """A machine's clock is wrong from its next start on, or its radio tells a wrong time."""
    island = rng.choice(world.islands)
    world.counts["clock fault"] += 1
    error_s = rng.choice((-86_400 * 30, -7_200, 600, 7_200, 86_400 * 3, 86_400 * 400))
    if rng.random() < 0.4:
        island.clock.right, island.clock.error_s = False, error_s
        island.misled |= island.clock.battery
        world.say(f"{island.name}: its machine's clock is {error_s} s off")
    elif island.on:
        world.say(f"{island.name}: its radio says a time that is {error_s} s off")
        island.radio_says(world.now + error_s)


@step(2)
def clock_set_right(world, rng):
    """A network tells the time again."""
    island = rng.choice(world.islands)
    island.clock.right, island.clock.error_s = True, 0.0


@step(3, "air")
def loss_changes(world, rng):
    """Weather, leaves, a lorry."""
    world.counts["air fault"] += 1
    world.set_loss(rng.choice((0.0, 0.2, 0.5, 0.75)))


@step(2, "air")
def partition(world, rng):
    """The air falls into two parts, or is one again."""
    numbers = [island.number for island in world.islands]
    rng.shuffle(numbers)
    cut = rng.randrange(len(numbers))
    world.counts["air fault"] += 1
    world.air.partition(*([numbers[:cut], numbers[cut:]] if cut else []))


@step(2, "air")
def deafen(world, rng):
    """A radio hears another no more, though it is heard."""
    one, other = rng.sample([island.number for island in world.islands], 2)
    world.counts["air fault"] += 1
    world.deafen(one, other)


@step(2, "air")
def radio_lies(world, rng):
    """A radio says that the channel is busy, refuses, goes down and comes back."""
    island = some_island(world, rng)
    world.counts["air fault"] += 1
    if island is None:
        return
    if rng.random() < 0.5:
        use = rng.choice((0.0, 0.3, 0.9))
        island.facts = replace(island.facts, channel_use=use, use_at=island.clock.monotonic())
    else:
        world.guarded(island, lambda: island.change_link(RADIO, False))
        world.pass_time(rng.choice((1, 90)))
        if island.on:
            world.guarded(island, lambda: island.change_link(RADIO, True))
    world._look_at(island)


@step(3, "broker")
def broker_fails(world, rng):
    """A broker goes or comes, forgets, repeats old messages, or makes some up."""
    world.counts["broker fault"] += 1
    broker = world.broker
    what = rng.choice(("up", "reach", "forget", "repeat", "forge"))
    if what == "up":
        broker.up = not broker.up
    elif what == "reach" and world.place.broker:
        world.reachable ^= {rng.choice(world.islands).number}
    elif what == "forget":
        kept = sorted(broker.retained)
        for topic in rng.sample(kept, len(kept) // 2):
            del broker.retained[topic]
    elif broker.history:
        for _ in range(5):
            root, payload = rng.choice(list(broker.history))
            if what == "forge":
                payload = payload[:16] + bytes(payload[16:-1]) + rng.randbytes(rng.choice((0, 1, 20)))
            world.broker.put(root, payload)
            world.broker_shows(root, payload)
    for island in world.running():
        world.connect(island)


# who means harm


def harmful(world, rng, key, kind, text, **fields):
    """The encoding of a record that is signed by whatever key."""
    created = fields.pop("created", minute_of(world.now))
    codec, packed = pack(text)
    record = Record(kind, key.key_id, created, fields.pop("life", 48), codec=codec, packed=packed, **fields)
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
    raws = [harmful(world, rng, key, Kind.BULLETIN, world.word(rng)) for _ in range(rng.choice((1, 5, 80)))]
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
    """A member with a true vouch writes far too much, dates far ahead, takes back what others wrote, revokes."""
    if not world.guests:
        return
    guest, _ = rng.choice(world.guests)
    what, now = rng.choice(("flood", "ahead", "take back", "revoke", "vouch")), minute_of(world.now)
    if what == "flood":
        raws = [harmful(world, rng, guest, Kind.BULLETIN, world.word(rng)) for _ in range(rng.choice((5, 40)))]
    elif what == "ahead":
        raws = [harmful(world, rng, guest, Kind.BULLETIN, world.word(rng), created=now + rng.choice((2_000, 90_000, 900_000)),
                        life=24) for _ in range(3)]
    elif what == "take back" and world.ledger.promises:
        roots = rng.sample(sorted(world.ledger.promises), min(4, len(world.ledger.promises)))
        raws = [harmful(world, rng, guest, Kind.RETRACTION, "", target=root, life=72) for root in roots]
    else:
        subject = rng.choice(world.islands).key.key_id
        record = Record(Kind.REVOCATION, guest.key_id, now, 50_000, detail=Revocation(subject, now))
        raws = [encode(sign(record, world.charter.set_id, guest.sign))]
    world.ledger.signed(raws)
    world.counts["harm"] += len(raws)
    bring(world, rng, raws)


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


assert Event and Right and CODEC == 0
