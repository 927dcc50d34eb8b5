"""What no protocol can beat, in bytes on the air: the lossless minimum, and senders who know what everybody lacks."""

from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES
from radio.lora import frame_bytes
from tests.bench.knowing import FairSender, Oracle
from tests.bench.minimum import least_transmissions


def frames_of(raw_bytes, max_payload, signs):
    """Bytes on the air of each frame of a record, alone in its packets and filled up where that is cheaper than signing."""
    room = max_payload - HEADER_BYTES
    if raw_bytes + WHOLE_BYTES <= room:
        sizes = [HEADER_BYTES + WHOLE_BYTES + raw_bytes]
    else:
        parts = -(-raw_bytes // (room - PIECE_BYTES))
        sizes = [HEADER_BYTES + PIECE_BYTES - (-raw_bytes // parts)] * parts
    return [min(frame_bytes(size, signs), frame_bytes(max(size, 166))) for size in sizes]


def bounds(setup):
    """Bytes on the air that no protocol can do without: (lossless minimum, all-knowing sender, fair sender).

    The minimum is None where it would take too long to find; the others do what they can where islands cannot be reached.
    """
    args = setup.args
    frames = {raw: frames_of(len(raw), args.max_payload, not args.unsigned) for raw in setup.records}
    starts = {raw: frozenset(node for node, raws in setup.held.items() if raw in raws) for raw in frames}
    senders = Oracle(setup.layout, args.loss, setup.seed), FairSender(setup.layout, args.loss, setup.seed)
    starts |= {what: frozenset({node}) for node, what in _play(setup, senders, frames, starts)}
    least = [(sum(frames[raw]), least_transmissions(setup.layout, start))
             for raw, start in starts.items() if start]
    minimum = None if any(count is None for _, count in least) else sum(size * count for size, count in least)
    return minimum, *(sender.bytes for sender in senders)


def _play(setup, senders, frames, starts):
    """Let them do what the scenario asks; (node, record) for each that was posted: by an island that was on."""
    on, posted = set(range(setup.layout.nodes)) - setup.asleep, []
    for sender in senders:
        for raw in (raw for raw in frames if starts[raw]):
            sender.hold(raw, starts[raw])
        sender.settle(frames, on)
    for _, kind, node, what in setup.events:
        if not kind:
            on = on | {node} if what else on - {node}
            for sender in senders:
                sender.settle(frames, on)
        elif node in on:
            posted.append((node, what))
            for sender in senders:
                sender.post(what, node, frames[what], on)
    return posted
