"""`python -m node` is `archipel`, and the command `archipel` begins here too."""

import gc
import sys

INTERRUPTED = 130  # what shells give a command that Ctrl-C ended


def start() -> None:
    """Do what was typed. Ctrl-C ends it without a traceback also while the program is being loaded."""
    gc.disable()  # nothing that is loaded is garbage, and to look for some takes a sixth of the time until a command begins
    try:
        from node.cli.main import main

        gc.freeze()
        gc.enable()
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    start()
