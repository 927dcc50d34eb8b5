"""What breaks in a world, and is mended again: power, cards, clocks, the air, brokers."""

from dataclasses import replace

from node.daemon.lora import RADIO
from tests.world.steps import some_island, step


@step(4, "power")
def power_cut(world, rng):
    """The power of an island goes, at any write of what comes next or at rest; it is back later."""
    island = some_island(world, rng)
    if island:
        if rng.random() < 0.7:
            island.card.cut_in = rng.randrange(40)
        else:
            world.cut(island)


@step(8)
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
    world.look_at(island)


@step(3, "broker")
def broker_fails(world, rng):
    """A broker goes or comes, forgets, repeats old messages, or makes some up."""
    world.counts["broker fault"] += 1
    what = rng.choice(("up", "reach", "forget", "repeat", "forge"))
    if what == "up":
        world.broker.up = not world.broker.up
    elif what == "reach" and world.place.broker:
        world.reachable ^= {rng.choice(world.islands).number}
    elif what == "forget":
        forget_half(world.broker, rng)
    else:
        say_again(world, rng, forged=what == "forge")
    for island in world.running():
        world.connect(island)


def forget_half(broker, rng):
    """Half of what it keeps is gone."""
    kept = sorted(broker.retained)
    for topic in rng.sample(kept, len(kept) // 2):
        del broker.retained[topic]


def say_again(world, rng, forged):
    """It shows old messages again, or such as nobody sent."""
    for _ in range(5 if world.broker.history else 0):
        root, payload = rng.choice(list(world.broker.history))
        if forged:
            payload = payload[:-1] + rng.randbytes(rng.choice((0, 1, 20)))
        world.broker.put(root, payload)
        world.broker_shows(root, payload)
