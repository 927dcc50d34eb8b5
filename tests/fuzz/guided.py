"""One target under libFuzzer (atheris), in a process of its own: python -m tests.fuzz.guided TARGET ARGUMENTS_OF_LIBFUZZER

Our packages are instrumented as they are imported, so this file imports none of them by itself.
"""

import sys

import atheris

from tests.fuzz import kinds

OURS = ["node", "radio", "web"]


def main(name, arguments):
    """Fuzz until libFuzzer ends the process."""
    with atheris.instrument_imports(include=OURS):
        target = kinds.target(name)
    atheris.Setup([sys.argv[0], *arguments], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
