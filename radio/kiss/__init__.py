"""KISS TNCs: packet radio."""
