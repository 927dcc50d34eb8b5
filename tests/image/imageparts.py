"""Where the SD image's own code lies. image-build is no package: its programs import each other by name."""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "image-build"
OVERLAY = BUILD / "overlay"
UNITS = OVERLAY / "usr/lib/systemd/system"
SERVICES = sorted(path.name for path in UNITS.glob("archipel-*.service"))
MAX_EXPOSURE = 1.5


def program(name):
    """One of its programs, as a module."""
    added = [str(BUILD), str(OVERLAY / "usr/lib/archipel")]
    sys.path[:0] = added
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = [path for path in sys.path if path not in added]
