"""How hard the suite tries: 1 on each change, the same examples each time; `EFFORT=20` before a release tries twenty times
as much, other ones each time. `SEED=7`: what draws for itself draws something else.
"""

import os

EFFORT = int(os.environ.get("EFFORT", "1"))
SEED = int(os.environ.get("SEED", EFFORT))
