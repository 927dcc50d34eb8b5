"""Waiting for what other threads and programs do."""

import time


def until(ready, timeout_s=90, pause_s=0.005):
    """Wait for `ready()` to become true; its value. `timeout_s` only bounds a hang: let it be long.

    It is asked every `pause_s` at first, later the less often the longer it took: to ask costs what is waited for its time.
    """
    start = time.monotonic()
    while not (value := ready()):
        waited_s = time.monotonic() - start
        assert waited_s < timeout_s, "it never happened"
        time.sleep(max(pause_s, min(waited_s / 20, 0.2)))
    return value
