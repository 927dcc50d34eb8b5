"""`python -m node` is `archipel`."""

from node.cli.main import main

main()
