"""Where what the image is made of lies, and the programs that are put on it, as modules."""

import functools
import importlib
import sys
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).parents[1]
PROJECT = SOURCES.parent
OVERLAY = SOURCES / "overlay"
PROGRAMS = OVERLAY / "usr/lib/archipel"


@functools.cache
def program(name: str) -> ModuleType:
    """A Python program of the overlay (`box`, `update`): on the card it is a file that systemd starts, in no package."""
    if str(PROGRAMS) not in sys.path:
        sys.path.append(str(PROGRAMS))  # where it finds those that it shares something with
    return importlib.import_module(name)
