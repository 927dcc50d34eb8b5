"""`python -m node` is `archipel`."""

from node.cli.keys import main  # it adds its commands to node.cli.main

main()
