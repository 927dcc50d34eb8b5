"""Load and soak, one after the other: python -m tests.load [--short] [NAME ...]; `make load`. Exit 1 if anything is wrong.

Each is a program of its own (`python -m tests.load.busy` ...), whose last line is JSON. --short: a small part of each, to
see that they run.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOADS = {"busy": ["--records", "200", "--rounds", "1", "--seconds", "5"], "slow_clients": ["--seconds", "3"],
         "hostile": ["--count", "50000"], "fresh_keys": ["--keys", "500"], "year": ["--days", "210"]}


def main(given):
    """0 when nothing is wrong."""
    short, names = "--short" in given, [name for name in given if name != "--short"] or list(LOADS)
    if unknown := set(names) - set(LOADS):
        print(f"no such load: {', '.join(sorted(unknown))}; there are {', '.join(LOADS)}", file=sys.stderr)
        return 2
    begun = [[sys.executable, "-m", f"tests.load.{name}", *(LOADS[name] if short else [])] for name in names]
    return 1 if any([subprocess.run(line, cwd=ROOT).returncode for line in begun]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
