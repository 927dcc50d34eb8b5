"""All proofs for some minutes, with fresh seeds: python -m tests.prove [--minutes N] [--seed S]

Worlds run on one core all the time, the other proofs one after the other on another one. One page at the end; exit status 1
if anything did not hold. What a proof prints when it fails says how to run that alone.
"""

import argparse
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

STORE_MINUTES, BUNDLES_A_MINUTE, PACKETS_A_MINUTE = 45, 600_000, 100_000
"""Minutes of one core that the store's trials take at scale 1; how many bundles and packets a minute of it reads. Set by:
a run of each (bench machine, quiet: 1.7 million bundles, 300,000 packets) and a busy machine, where a third is left."""
PARTS = {  # of the time of their core; what to run for so many minutes, from which seed on
    "store": (0.5, lambda minutes, seed: ["tests.prove_store", "--seed", seed, "--scale",
                                           f"{minutes / STORE_MINUTES:.4f}"]),
    "bundles": (0.25, lambda minutes, seed: ["tests.prove_bundle", "--count", f"{minutes * BUNDLES_A_MINUTE:.0f}",
                                             "--seed", seed]),
    "packets": (0.25, lambda minutes, seed: ["tests.prove_air", "--count", f"{minutes * PACKETS_A_MINUTE:.0f}",
                                             "--seed", seed]),
}
SHOWN_LINES = 40


@dataclass(frozen=True)
class Proven:
    """What came of one proof."""

    name: str
    held: bool
    seconds: float
    told: str


def prove(name, command):
    """Run one."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    told = done.stdout if done.returncode == 0 else done.stdout + done.stderr
    return Proven(name, done.returncode == 0, time.monotonic() - began, told.strip())


def worlds(minutes, seed):
    """The worlds, on a core of their own."""
    return prove("worlds", ["tests.world", "--minutes", f"{minutes:.2f}", "--jobs", "1", "--seed", seed])


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, help="any if it is not given")
    args = parser.parse_args()
    seed = str(secrets.randbelow(10**9) if args.seed is None else args.seed)
    with ThreadPoolExecutor(2) as cores:
        beside = cores.submit(worlds, args.minutes, seed)
        others = [prove(name, command(args.minutes * part, seed)) for name, (part, command) in PARTS.items()]
        done = [beside.result(), *others]
    print(f"{args.minutes:g} minutes from seed {seed}")
    for one in done:
        print(f"\n{'held  ' if one.held else 'FAILED'} {one.name}, {one.seconds:.0f} s")
        print("\n".join("  " + line for line in one.told.splitlines()[-SHOWN_LINES:]))
    sys.exit(not all(one.held for one in done))


if __name__ == "__main__":
    main()
