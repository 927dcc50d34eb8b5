"""What to send and what to make of what is heard: engines without I/O, one per kind of link."""
