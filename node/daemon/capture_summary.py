"""What a capture holds, in numbers."""

from collections import Counter
from typing import Any

from node.daemon.captures import Capture


def summary(capture: Capture) -> dict[str, Any]:
    """By link what was heard, no good (by reason) and sent; records by kind, and what became of them; as JSON.

    `why` it ended is "" if its end is missing.
    """
    heard, islands, sent = Counter[str](), set[int](), Counter[str]()
    bad: dict[str, Counter[str]] = {}
    for entry in capture.of("heard"):
        heard[entry["link"]] += 1
        islands |= {entry["island"]} if "island" in entry else set()
        if "refused" in entry:
            bad.setdefault(entry["link"], Counter())[entry["refused"]] += 1
    sent.update(entry["link"] for entry in capture.of("sent"))
    links = sorted({*capture.head["up"], *heard, *sent})
    end = capture.entries[-1] if capture.whole else {}
    return {
        "seconds": max((entry["at"] for entry in capture.entries), default=0) // 1000, "why": end.get("why", ""),
        "links": [{"name": name, "heard": heard[name], "sent": sent[name], "refused": dict(bad.get(name, {}))}
                  for name in links],
        "islands": len(islands - {0}), "lan": sum(1 for _ in capture.of("lan")),
        "records": dict(Counter({entry["number"]: entry.get("kind", "unknown")
                                 for entry in capture.of("record")}.values())),
        "became": dict(Counter(entry["reason"] for entry in capture.of("became"))),
        "left_out": end.get("left-out", 0)}
