"""Simulated air, radios and TNCs: what the demo and the tests use in the place of hardware."""
