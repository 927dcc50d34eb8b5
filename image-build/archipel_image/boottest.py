"""`make image-test`: what a built card does in QEMU, at its first start and at worse moments.

`python -m archipel_image.boottest IMAGE [CASE...]` prints a line a case, and the figures as a JSON object at the end.
"""

import argparse
import http.client
import inspect
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from archipel_image.cases import ON_DEMAND, USUAL
from archipel_image.sources import PROJECT
from archipel_image.testbench import Bench
from archipel_image.vm import Trouble

POWER_CUTS = 10
CASES = {case.__name__: case for case in (*USUAL, *ON_DEMAND)}


def run(bench: Bench, name: str) -> bool:
    """Whether a case passes; says so. After one that does not, the next gets fresh machines."""
    began = time.monotonic()
    try:
        CASES[name](bench)
    except (Trouble, OSError, http.client.HTTPException, subprocess.SubprocessError) as trouble:
        print(f"FAILED  {name}, {time.monotonic() - began:.0f} s: {trouble}", flush=True)
        bench.drop()
        return False
    print(f"ok      {name}, {time.monotonic() - began:.0f} s: {inspect.getdoc(CASES[name])}", flush=True)
    return True


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    on_demand = ", ".join(case.__name__ for case in ON_DEMAND)
    parser.add_argument("cases", nargs="*", help=f"{', '.join(CASES)}; none: all but {on_demand}")
    parser.add_argument("--cuts", type=int, default=POWER_CUTS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no machine is left running
    with tempfile.TemporaryDirectory(dir=PROJECT / "build", prefix="boottest-") as folder:
        bench = Bench(wanted.image, Path(folder), wanted.cuts, wanted.seed)
        try:
            passed = [run(bench, name) for name in wanted.cases or [case.__name__ for case in USUAL]]
        finally:
            bench.drop()
    print(json.dumps(bench.figures))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
