"""Waiting for what other threads and programs do."""

import time


def until(ready, timeout_s=90):
    """Wait for `ready()` to become true; its value."""
    end = time.monotonic() + timeout_s
    while not (value := ready()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
    return value
