"""What must hold in a world: after each step what is cheap to look at, now and then all, once it is whole the rest."""

from dataclasses import dataclass

from node.board.pace import MAX_VISITORS
from node.model.clock import minute_of
from node.model.record import Kind, decode
from node.replica.admission import MAX_AHEAD_MIN, MAX_FORGED
from node.replica.quarantine import ALL as PEN
from node.replica.quota import LIMITS
from node.store.archive import MAX_WAITING as MAX_WORDS
from node.sync.lora.tuning import TUNING
from node.sync.mqtt.tuning import BROKER_TUNING
from node.transfer.bulk import MAX_DECLINED
from node.transfer.lan import MAX_SALTS, fingerprint
from tests.world.opinion import same_set

HOUR_S, DAY_S = 3_600, 86_400
DUTY, USUAL_SHARE = 0.1, 0.1  # the law's part of each hour, in EU_868; of it what an island takes if nobody says otherwise
BURST, MAX_SHARE = 5, 0.5  # of an hour: so many times the share, at most so much of the law's part
FOR_URGENT = 1 / 8  # of an hour's bound, that nothing else touches
LENT = 1 / 2 * 3 / 4  # of their share, that others leave
ERASED_S = 3_600.0
SLACK_S = 600.0
AHEAD_MIN, MONTHS_MIN = 3 * 1_440, 60 * 1_440
MOST_BYTES = 4_000_000  # of the journals of one island
CLOCK_SLACK_S = 300.0


def look(world):
    """What is cheap: after each step."""
    world.check(not world.errors.found, f"logged: {world.errors.found[:1]}")
    for island in world.running():
        world.guarded(island, lambda island=island: (true_records(world, island), promises(world, island)))


def examine(world):
    """All of it."""
    look(world)
    for island in world.running():
        for part in shown, erased, bounded, floor:
            if island.on:
                world.guarded(island, lambda part=part, island=island: part(world, island))
    for island in world.running() if world.healing else world.running()[:1]:
        same_set(world, island)


def airtime_bounds(share_percent, lenders, urgent):
    """(seconds, how many of them may be air of one island): an hour by the law and the keeper's share of it, a day by that
    share and what so many others may leave it of theirs."""
    share, free = share_percent / 100 or USUAL_SHARE, 1 if urgent else 1 - FOR_URGENT
    return ((HOUR_S, free * HOUR_S * DUTY * max(share, min(BURST * share, MAX_SHARE))),
            (DAY_S, DAY_S * DUTY * share * (1 + lenders * LENT)))


def true_records(world, island):
    """Nothing is in a set but what somebody who may has signed, and nothing that was taken back stands beside that."""
    liveset, ledger = island.liveset, world.ledger
    if (island.lives, liveset.revision) == getattr(island, "looked_at", None):
        return
    island.looked_at = island.lives, liveset.revision
    for id_ in liveset.ids():
        true = ledger.is_true(id_) and id_ not in ledger.unspoken
        world.check(true or liveset.raw(id_) is None, f"{island.name} holds {id_.hex()}, which nobody signed who may")
    for entry in liveset.retractions():
        island.heard_of.setdefault((entry.author, entry.root), world.now)
    for entry in liveset.posts():
        world.check((entry.author, entry.root) not in island.heard_of,
                    f"{island.name} holds {entry.id.hex()}, which was taken back")
    for entry in liveset.posts():
        at = entry.author, entry.root
        rank, ends = (entry.created, entry.root != entry.id[:8], entry.id), entry.expires
        best, best_ends = island.newest.get(at, (rank, ends))
        minute = minute_of(island.app.timekeeper.now())
        counts = minute < best_ends >= ends and best[0] <= minute + MAX_AHEAD_MIN
        world.check(rank >= best or not counts or entry.author in liveset.trust.cuts,
                    f"{island.name} holds {entry.id.hex()}, an older version than it did")
        if rank > best or at not in island.newest:
            island.newest[at] = rank, ends
    for author, since in liveset.trust.cuts.items():
        stays = [entry for entry in liveset.posts() if entry.author == author and entry.created >= since]
        world.check(not stays, f"{island.name} holds posts of {author.hex()}, who was put out")


def promises(world, island):
    """What was acknowledged is there; what was withdrawn is not."""
    for one in world.ledger.promises.values():
        if one.state in ("live", "waiting"):
            kept(world, island, one)
        elif one.state == "withdrawn":
            gone(world, island, one)


def kept(world, island, one):
    """It is where it once was: in the set, or past, or waiting."""
    store, archive, waiting = island.app.store, island.app.archive, island.board.notes.state.waiting
    if any(store.get(id_) is not None for id_ in one.raws):
        if store.health()[0]:  # else it may be on the way only
            one.safe.add(island.name)
    elif island.name in one.safe and not any(id_.hex() in waiting for id_ in one.raws):
        past = any(archive.get(id_) is not None for id_ in one.raws)
        world.check(past, f"{island.name} has lost {one.word}, which was acknowledged")


def gone(world, island, one):
    """Who has heard that it was taken back remembers that, and has it no more."""
    if (one.author, one.root) in island.heard_of:
        one.ends_safe.add(island.name)
    elif island.name in one.ends_safe:
        world.check(island.app.store.get(one.retraction) is not None, f"{island.name} forgot the end of {one.word}")
    if island.name in one.ends_safe:
        stands = [id_ for id_ in island.liveset.about(one.root) if id_ in one.raws]
        world.check(not stands, f"{island.name} has {one.word}, which was taken back")


@dataclass
class Sight:
    """What people see of one item."""

    item: object
    where: str


def sights(island):
    """All that an island's pages would show."""
    board, now = island.board, island.board.now()
    found = [Sight(item, "news") for item in board.bulletins(limit=400).items]
    found += [Sight(item, "agenda") for item in board.read(board.announced(now - AHEAD_MIN, now + MONTHS_MIN))]
    found += [Sight(item, "latest") for item in board.latest(limit=100).items]
    found += [Sight(item, "past") for item in board.past(limit=200).items]
    found += [Sight(reply, "replies") for one in found for reply in one.item.replies]
    return found


def shown(world, island):
    """Only what is true, as it was written, and nothing that was withdrawn or hidden."""
    ledger = world.ledger
    taken_back = {one.root: one for one in ledger.promises.values()
            if one.state in ("withdrawn", "clearing") and island.name in one.ends_safe}
    hidden = {one.root for one in ledger.promises.values() if island.name in one.hidden}
    for sight in sights(island):
        id_ = bytes.fromhex(sight.item.id)
        root = bytes.fromhex(sight.item.first or sight.item.id)[:8]
        shows = f"{island.name} shows {sight.item.id} ({sight.where})"
        world.check(ledger.is_true(id_) and id_ not in ledger.unspoken, shows)
        if sight.item.kind in (Kind.BULLETIN, Kind.REPLY):
            world.check(sight.item.text == ledger.text_of(id_), f"{shows} otherwise than signed")
        one = ledger.promises.get(root)
        if one is not None:
            world.check(one.word in sight.item.title + sight.item.text, f"{island.name} shows {one.word} otherwise")
        world.check(root not in taken_back, f"{shows}, which was taken back")
        world.check(root not in hidden, f"{shows}, which is hidden")
    for one in sorted(taken_back.values(), key=lambda one: one.root)[:8]:
        found = [item.id for item in island.board.search(one.word).items]
        world.check(not found, f"{island.name} finds {one.word}, which was taken back")


def erased(world, island):
    """Nothing that was taken back is on the card an hour of running later, if the card took writes meanwhile."""
    if island.card.mood or not island.heard_of:
        return
    since = max(island.healthy_since, island.clock.booted_at)
    late = [one for one in world.ledger.promises.values()
            if (one.author, one.root) in island.heard_of
            and world.now - max(since, island.heard_of[one.author, one.root]) > ERASED_S + SLACK_S]
    if not late:
        return
    for name, octets in octets_of(island):
        for one in late:
            found = [trace for trace in one.traces() if trace in octets]
            world.check(not found, f"{island.name}: {one.word} is still in {name}")


def octets_of(island):
    """All that is on its card."""
    for name, octets in island.card.octets():
        yield name, octets.rstrip(b"\0")
    for path in sorted(island.folder.glob("archive.db*")):
        yield path.name, path.read_bytes()


def bounded(world, island):
    """Whatever grows by what others do has its bound."""
    app, state = island.app, island.liveset._state
    context = app.air._engine.context
    sizes = [
        ("quarantine", len(state.quarantine), PEN.records), ("forged", len(state.forged), MAX_FORGED),
        ("words that wait", len(app.archive._waiting), MAX_WORDS), ("salts", len(app.lan._salts._kept), MAX_SALTS),
        ("declined", len(app.bulk._declined._kept), MAX_DECLINED), ("visitors", len(app.board._pace._visits), MAX_VISITORS),
        ("partial records", len(context.reassembly._open), TUNING.max_partial_records),
        ("refused", len(context.refusals._until), TUNING.max_refused),
        ("neighbours", len(context.neighbours._known), TUNING.max_neighbours),
        ("transmissions", len(context.transmissions._all), TUNING.max_transmissions),
        ("pushes", len(context.transmissions._pushes), TUNING.max_pushes),
        ("asked", len(context.requests._asked), TUNING.max_asked),
        ("inbox", app.runner.waiting, 0), ("audit log", len(app.board.audit_log(1_000)), 100),
    ]
    for engine in app.replica.engines:
        if hasattr(engine, "_foreign"):
            sizes += [("foreign slots", len(engine._foreign), BROKER_TUNING.max_foreign),
                      ("failures", len(engine._failures), len(island.liveset) + BROKER_TUNING.max_foreign)]
    for category, limit in LIMITS.items():
        most = max((quota.used(category).records for quota in state.quotas.values()), default=0)
        sizes.append((f"records of one author, {category.name.lower()}", most, limit.records))
    sizes.append(("octets of journals", sum(len(held.seen) for held in island.card.seen.values()), MOST_BYTES))
    for what, size, most in sizes:
        world.check(size <= most, f"{island.name}: {size} {what}, {most} at most")


def floor(world, island):
    """What is certainly past by its clock is past, unless a keeper or the machine itself has said otherwise."""
    if island.app.timekeeper.floor > world.now + CLOCK_SLACK_S:
        world.check(island.misled, f"{island.name} takes a moment to be past that is to come")


def held(world, island):
    """Ids of what an island holds, but for what a wrong clock has dated so far ahead that it waits on all the others."""
    minute = minute_of(world.now)
    return {id_ for id_ in island.liveset.ids(minute)
            if decode(island.liveset.encoding(id_)).created <= minute + MAX_AHEAD_MIN - 60}


def equal(world):
    """Whether all islands hold the same."""
    sets = [held(world, island) for island in world.islands if island.on]
    return len(sets) == len(world.islands) and all(one == sets[0] for one in sets)


def alike(world):
    """The same records: the same fingerprint, versions, trust."""
    first, *others = world.islands
    for other in others:
        if set(first.liveset.ids()) != set(other.liveset.ids()):
            continue  # what a wrong clock has dated ahead
        for what, of in (("fingerprint", lambda one: fingerprint(one.app.bulk.shorts())),
                         ("versions", lambda one: {root: one.liveset.version(root) for root in one.liveset.roots()}),
                         ("trust", lambda one: one.liveset.trust.cuts)):
            world.check(of(first) == of(other), f"{first.name} and {other.name} hold the same records, not the same {what}")


def healed(world):
    """All is well again: what was promised is everywhere, what was taken back nowhere, nothing waits without a way out."""
    alike(world)
    minute = minute_of(world.now)
    for island in world.islands:
        app = island.app
        for one in world.ledger.promises.values():
            ids = [id_ for id_ in island.liveset.about(one.root) if id_ in one.raws]
            replies = [id_ for id_ in one.raws if id_ in island.liveset]
            ahead = any(decode(raw).created > minute + MAX_AHEAD_MIN - 60 for raw in one.raws.values())
            if one.state == "live" and one.ends > minute and not ahead:
                world.check(ids or replies, f"{one.word} has not come to {island.name}")
            elif one.state in ("withdrawn", "clearing"):
                world.check(not ids and not replies, f"{one.word}, which was taken back, is on {island.name}")
        world.check(app.store.health()[0] and app.archive.health()[0], f"{island.name} says that its card fails")
        owed = app.maintenance.erasure.owed_s
        world.check(owed is None or owed < ERASED_S, f"{island.name} has owed an erasing for {owed} s")
        world.check(not app.maintenance.has_more, f"{island.name} has texts that it never reads")
        world.check(abs(app.timekeeper.now() - world.now) < CLOCK_SLACK_S, f"{island.name}'s clock is wrong")
