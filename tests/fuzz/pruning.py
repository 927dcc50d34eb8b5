"""What of many inputs is worth keeping: the shortest ones that take every branch that any of them takes."""

import sys
from collections.abc import Iterable
from types import FrameType

from tests.fuzz.kinds import ROOT, Target


def pruned(target: Target, inputs: Iterable[bytes]) -> list[bytes]:
    """The shortest inputs first; of each only what takes a step (a line after a line) that none before it took."""
    kept: list[bytes] = []
    seen: set[tuple[str, int, int]] = set()
    for octets in sorted(set(inputs), key=lambda octets: (len(octets), octets)):
        steps = steps_of(target, octets)
        if steps - seen or not kept:
            kept.append(octets)
            seen |= steps
    return kept


def steps_of(target: Target, octets: bytes) -> set[tuple[str, int, int]]:
    """(file, line, next line) of each step that an input takes in what the target reads."""
    files = {str(ROOT / path) for path in target.files}
    steps: set[tuple[str, int, int]] = set()
    last: dict[int, int] = {}

    def at_line(frame: FrameType, event: str, _: object) -> object:
        if event == "line":
            steps.add((frame.f_code.co_filename, last.get(id(frame), 0), frame.f_lineno))
            last[id(frame)] = frame.f_lineno
        elif event == "return":
            last.pop(id(frame), None)
        return at_line

    def at_call(frame: FrameType, event: str, argument: object) -> object:
        return at_line(frame, event, argument) if frame.f_code.co_filename in files else None

    sys.settrace(at_call)
    try:
        target.run(octets)
    finally:
        sys.settrace(None)
    return steps
