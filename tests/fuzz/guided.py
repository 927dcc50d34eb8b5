"""One target under libFuzzer (atheris), in a process of its own: python -m tests.fuzz.guided TARGET ARGUMENTS_OF_LIBFUZZER

Our packages are instrumented as they are imported, so this file imports none of them by itself.
"""

import gc
import sys
from types import FunctionType

import atheris

from tests.fuzz import kinds

OURS = ["node", "radio", "web"]


def main(name, arguments):
    """Fuzz until libFuzzer ends the process."""
    with atheris.instrument_imports(include=OURS):
        target = kinds.target(name)
    programs = {str(kinds.ROOT / file) for file in target.files if file.startswith(kinds.OVERLAY)}
    for function in gc.get_objects() if programs else ():  # they are read by path, past what looks at imports
        if isinstance(function, FunctionType) and function.__code__.co_filename in programs:
            atheris.instrument_func(function)
    atheris.Setup([sys.argv[0], *arguments], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
