"""Links: ways for packets to travel. Bytes in, bytes out; nothing here knows what a record is."""
