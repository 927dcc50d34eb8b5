"""Where what the image is made of lies, and the programs that are put on it, as modules."""

import functools
import importlib.util
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).parents[1]
PROJECT = SOURCES.parent
OVERLAY = SOURCES / "overlay"
PROGRAMS = OVERLAY / "usr/lib/archipel"


@functools.cache
def program(name: str) -> ModuleType:
    """A Python program of the overlay (`box`, `update`): on the card it is a file that systemd starts, in no package."""
    spec = importlib.util.spec_from_file_location(f"archipel_{name}", PROGRAMS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
