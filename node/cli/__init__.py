"""The command line: what a keeper types. Most commands ask the island that runs."""
