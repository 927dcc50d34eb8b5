"""Faults planted on purpose, each of which a test must notice: `make mutants`. A file of `faults/` for each subject."""
