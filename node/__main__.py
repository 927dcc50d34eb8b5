"""`python -m node` is `archipel`."""

from node.keycli import main  # it adds its commands to node.cli

main()
