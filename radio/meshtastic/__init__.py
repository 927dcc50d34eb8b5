"""Meshtastic radios, by serial line or TCP."""
