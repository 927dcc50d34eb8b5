"""A phone carries the board from one portal to another, in Chromium: `python tests/web/courier.py`."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from sample import filled, served  # noqa: E402 - runs from a checkout too

from tests.sim.portals import Neighbourhood  # noqa: E402

PATIENCE_S = 600


def main() -> int:
    """0 if all went as it should."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("full", "empty", "phone"):
            (folder / name).mkdir()
        with served(filled(folder / "full"), Neighbourhood(folder / "empty")) as addresses:
            walk = subprocess.run(["node", str(HERE / "courier.mjs"), *addresses, str(folder / "phone")], cwd=HERE,
                                  timeout=PATIENCE_S, check=False)
        return walk.returncode


if __name__ == "__main__":
    sys.exit(main())
