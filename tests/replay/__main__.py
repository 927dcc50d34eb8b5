"""Replay captures (docs/captures.md): python -m tests.replay FILE...; a line of JSON each, exit 1 if anything differs."""

import json
import sys
from pathlib import Path

from node.daemon.captures import read_capture
from node.model.errors import RemoteFault
from tests.replay.island import Replay


def main(names):
    """0 when all became what it was."""
    same = bool(names)
    for name in names:
        try:
            with Path(name).open("rb") as stream:
                capture = read_capture(stream)
        except RemoteFault as fault:
            print(json.dumps({"file": Path(name).name, "refused": fault.reason}))
            same = False
            continue
        report = Replay(capture).run().report()
        same &= not report["differs"]
        print(json.dumps({"file": Path(name).name} | report))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
