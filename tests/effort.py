"""How hard the suite tries: 1 on each change, the same examples each time; `EFFORT=20` before a release tries twenty times
as much, other ones each time.
"""

import os

EFFORT = int(os.environ.get("EFFORT", "1"))
