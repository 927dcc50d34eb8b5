"""Waiting for what other threads and programs do."""

import time


def until(ready, timeout_s=90, pause_s=0.005):
    """Wait for `ready()` to become true; its value. `timeout_s` only bounds a hang: let it be long."""
    end = time.monotonic() + timeout_s
    while not (value := ready()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(pause_s)
    return value
