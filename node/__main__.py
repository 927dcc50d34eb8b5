"""`python -m node` is `archipel`."""

from node.shell.keycli import main  # it adds its commands to node.shell.cli

main()
