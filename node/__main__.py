"""`python -m node` is `archipel`."""

from node.cli import main

main()
