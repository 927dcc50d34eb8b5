"""What people, keepers and those who carry sticks do in a world."""

from dataclasses import replace

from node.board.api import Draft
from node.board.keyring import InviteWish, VouchWish
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.record import Kind, encode
from node.model.renewal import RenewalPlan, renewals
from node.store.index import StoreFailed
from tests.world.harm import bring, harmful
from tests.world.ledger import Promise
from tests.world.steps import acted, some_island, step
from tests.world.world import MOST_ISLANDS


@step(14)
def let_pass(world, rng):
    """Some time."""
    world.pass_time(rng.choice((30, 120, 600, 600, 1_800, 1_800, 5_400, 5_400, 20_000, 95_000)))


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
        world.counts["acknowledged"] += 1
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


@step(14)
def post(world, rng):
    """A bulletin or an event."""
    island = some_island(world, rng)
    if island:
        word = world.word(rng)
        kind = rng.choice((Kind.BULLETIN, Kind.BULLETIN, Kind.EVENT))
        post_at(world, rng, island, draft_of(world, rng, word, kind), word)


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
def rush(world, rng):
    """A keeper types in a long list at once, in the midst of which the island may start again: more than its air holds."""
    island = some_island(world, rng)
    if island is None:
        return
    for number in range(rng.choice((6, 14, 30))):
        if number == 12 and rng.random() < 0.7:
            world.pass_time(1_500)
            world.restart(island)
        word = world.word(rng)
        draft = Draft(Kind.BULLETIN, text=f"{word} " + "".join(rng.choice(word) for _ in range(150)), life_days=2)
        if not island.on:
            return
        posted, _ = acted(world, island, lambda draft=draft: island.board.post(draft, keeper="nadia"))
        if posted:
            world.counts["acknowledged"] += 1
            world.ledger.promise(posted, Kind.BULLETIN, island, word)
    world.pass_time(rng.choice((600, 2_400)))


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


@step(6)
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


@step(7)
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
    world.counts["taken back"] += 1
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


@step(3)
def search(world, rng):
    """Somebody looks for a word."""
    island, promises = some_island(world, rng), list(world.ledger.promises.values())
    if island and promises:
        word = rng.choice(promises).word
        acted(world, island, lambda: island.board.search(word))


@step(4)
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


@step(3)
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
        if island.on:
            decide_on(world, island, waiting.item.id, rng.random() < 0.7)


def decide_on(world, island, id_, approved):
    """A keeper lets a post come, or not."""
    one = world.ledger.promises.get(bytes.fromhex(id_)[:8])
    if approved:
        _, went = acted(world, island, lambda: island.board.approve(id_, "nadia"))
        if one and one.state == "waiting":
            one.state = "live" if not went and bytes.fromhex(id_) in island.liveset else "unsure"
    else:
        acted(world, island, lambda: island.board.refuse(id_, "nadia"))
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


@step(2)
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
        VouchWish(guest.public.hex(), f"Guest {len(world.guests)}", days=rng.choice((1, 2, 30))), "nadia"))
    if view:
        world.guests.append((guest, island.name))


@step(2)
def put_out(world, rng):
    """A member that a keeper let in is put out again."""
    guests = [(guest, island) for guest, name in world.guests for island in world.running() if island.name == name]
    if not guests:
        return
    guest, island = rng.choice(guests)
    look, _ = acted(world, island, lambda: island.board.keyring.look(guest.key_id.hex(), None))
    if look and island.on:
        acted(world, island, lambda: island.board.keyring.revoke(look.label, "nadia", at_once=rng.random() < 0.7))
    bring(world, rng, written_by(world, rng, guest))


@step(3)
def guests_write(world, rng):
    """Members who are no islands write a little, also when their time is over."""
    if world.guests:
        bring(world, rng, written_by(world, rng, rng.choice(world.guests)[0]))


def written_by(world, rng, guest):
    """A few records of a member, of now and of before."""
    now = minute_of(world.now)
    raws = [harmful(world, guest, Kind.BULLETIN, world.word(rng), created=now - rng.choice((0, 0, 300, 2_000)))
            for _ in range(rng.choice((1, 3)))]
    world.ledger.signed(raws)
    return raws


@step(0.5)
def renew(world, rng):
    """A founder renews the secret of the set: its key is on paper, and typed at an island."""
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
                world.look_at(other)
