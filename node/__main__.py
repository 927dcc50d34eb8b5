"""`python -m node` is `archipel`, and the command `archipel` begins here too."""

import sys

INTERRUPTED = 130  # what shells give a command that Ctrl-C ended


def start() -> None:
    """Do what was typed. Ctrl-C ends it without a traceback also while the program is being loaded."""
    try:
        from node.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    start()
