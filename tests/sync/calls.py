"""How often functions of the product are entered, without a change to them."""

import sys
from contextlib import contextmanager


@contextmanager
def counted(*functions):
    """A list that grows by (function, name of its caller) for each call of one of them inside the block, in this thread."""
    calls, codes, before = [], {function.__code__: function for function in functions}, sys.getprofile()

    def note(frame, event, argument):
        if event == "call" and frame.f_code in codes:
            calls.append((codes[frame.f_code], frame.f_back.f_code.co_qualname))

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)
