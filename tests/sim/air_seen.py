"""What a radio of a lively neighbourhood says of itself: a status with something in each of its parts."""

import math

from node.board.status import (
    AirHistory,
    AirtimeStatus,
    AirWishes,
    LinkStatus,
    NeighbourStatus,
    OutlookStatus,
    PacketStatus,
    QueuedStatus,
    QueueStatus,
    RadioStatus,
)

STEPS = 144


def busy_radio() -> LinkStatus:
    """The hour is used up, a neighbour is deaf, another is weak and a third is away."""
    radio = RadioStatus("2.8.0.f7a3e11", "EU_868", "LONG_FAST", 869.525, 0.14, 0.047, "!2f9ac01b", 0.87, 4.02, 11.5,
                        "strict")
    outlooks = (OutlookStatus("urgent", 0.0, "", 22.5), OutlookStatus("fair", 2_170.0, "hour-used", 0.0),
                OutlookStatus("crowding", 4_000.0, "hour-used", 0.0))
    airtime = AirtimeStatus("EU_868", 180.0, 157.5, 1.2, 22.5, 2_170.0, "hour-used", 360.0, 36.0, 41.3, 216.0, 22.5,
                            outlooks, AirWishes(only_urgent_s=900.0))
    neighbours = (
        NeighbourStatus("3f0c", 12, 0, 0.06, "same", 0, "Île de la gare", 6.5, -92, True),
        NeighbourStatus("9a41", 95, 0, 0.18, "known", 7, "Jardin du haut", -13.25, -118, False),
        NeighbourStatus("77e2", 640, 1, 0.62, "far", 31, "Ferme des Lilas", -4.0, -109, None),
        NeighbourStatus("b00d", 36_000, 2, 0.2, "unknown", 40, "", None, None, None, True))
    rows = (QueuedStatus("urgent", 1, 4, 3, "urgent", 0.0, "sending"),
            QueuedStatus("trust", 1, 130, 2, "urgent", 2.0, "turn"),
            QueuedStatus("event", 2, 900, 3, "fair", 2_170.0, "hour-used"),
            QueuedStatus("new", 3, 1_200, 1, "crowding", 4_000.0, "hour-used"),
            QueuedStatus("repair", 1, 2_400, 1, "crowding", None, "never"))
    packets = (
        PacketStatus(4, True, "", 188, 1.87, (("record", 1),), outcome=""),
        PacketStatus(40, False, "3f0c", 61, 0.95, (("holds", 214), ("hears", 3)), "Île de la gare", 0, 6.5),
        PacketStatus(95, False, "9a41", 51, 0.81, (("lacks", 5), ("lacks-pieces", 2)), "Jardin du haut", 0, -13.25),
        PacketStatus(300, True, "!00c0ffee", 52, 0.8, (("lacks", 2),), outcome="sent"),
        PacketStatus(900, True, "", 231, 2.2, (("record-again", 1), ("piece-again", 1)), outcome="duty-cycle"))
    waves = [2.5 * (1 + math.sin(step / 7)) for step in range(STEPS)]
    sent_s = {"fresh": tuple(round(wave, 1) for wave in waves), "repair": tuple(round(wave / 2, 1) for wave in waves[::-1]),
              "question": (0.8,) * STEPS, "summary": tuple(1.0 * (step % 6 == 0) for step in range(STEPS))}
    channel_use = tuple(None if step < 20 else round(0.08 + 0.2 * (math.sin(step / 9) > 0.8) + step / 1_400, 3)
                        for step in range(STEPS))
    history = AirHistory(600, sent_s, channel_use, {kind: round(sum(told), 1) for kind, told in sent_s.items()})
    return LinkStatus("radio", True, "up", {"connected": 1, "sent": 402, "received": 377}, radio, airtime, neighbours,
                      QueueStatus(21, 34, rows), packets, history)
