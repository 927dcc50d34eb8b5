"""The engine for links where every packet is heard by whoever is near: LoRa, packet radio."""
