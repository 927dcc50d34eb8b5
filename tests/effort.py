"""How hard the suite tries: 1 on each change; `EFFORT=20` before a release tries twenty times as much."""

import os

EFFORT = int(os.environ.get("EFFORT", "1"))
