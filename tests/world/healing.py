"""How a world becomes whole again: faults end, ways open, keepers do what they are told there is to do."""

from dataclasses import replace

from node.board.api import BoardClosed, Draft, DraftRefused
from node.board.keyring import InviteWish
from node.daemon.lora import RADIO
from node.model.record import Kind, Right
from tests.world.place import STRANGER


def heal(world, loss):
    """All faults end, all ways are open, everybody is there."""
    world.say("all is mended")
    world.healing, world.broker.up = True, True
    for sender, receiver, snr_db in sorted(world.deaf_pairs):
        world.air.path(sender, receiver, loss, snr_db)
    world.air.partition()
    world.air.switch(STRANGER, False, world.now)
    world.set_loss(loss)
    world.reachable = {island.number for island in world.islands} if world.place.broker else set()
    for island in world.islands:
        island.clock.right, island.clock.error_s, island.card.cut_in = True, 0.0, None
        world.mend_card(island)
        world.power(island)
        island.facts = replace(island.facts, channel_use=0.0, use_at=island.clock.monotonic())
        island.change_link(RADIO, True)
        world.connect(island)
    for island in world.islands:
        world.check(island.on, f"{island.name} does not come up again")
    if world.place.lan:
        world.plan_visits()


def lacking(world):
    """How many records each island lacks of what the others hold."""
    sets = {island.name: set(island.liveset.ids()) for island in world.running()}
    union = set().union(*sets.values())
    return {name: [(id_.hex()[:8], Kind(world.ledger.raws[id_][0] & 15).name if id_ in world.ledger.raws else "?")
                   for id_ in sorted(union - held)[:4]] for name, held in sets.items() if union - held}


def all_may_post(world):
    """Whether a keeper may post on every island that is admitted."""
    for island in world.islands:
        if not island.liveset.trust.may(island.key.key_id, Right.WRITE, island.board.now()):
            continue
        try:
            island.board.post(Draft(Kind.BULLETIN, text="at the end"), keeper="nadia")
        except (BoardClosed, DraftRefused) as refused:
            world.say(f"{island.name}: {refused}")
            return False
    return True


def lead_home(world):
    """A keeper brings a new invitation to an island that says that it was left behind by a renewal of the secret."""
    newest = max(world.running(), key=lambda one: one.app.secret.known[0].created)
    for island in world.running():
        other = island.app.secret.known[0].secret != newest.app.secret.known[0].secret
        if other and island.app.secret.status().behind:
            world.say(f"{island.name} was left behind, and is led home")
            letters = newest.board.keyring.invite(InviteWish(days=30), "nadia").letters
            island.board.keyring.catch_up(letters, "nadia")
            world.look_at(newest)
            world.look_at(island)
            island.app.runner.turn()
            world.restart(island)
