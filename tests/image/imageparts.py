"""Where the SD image's own files lie, how exposed its services may be, and islands that its stick script finds."""

import os
import subprocess
import sys

from archipel_image.sources import OVERLAY, PROJECT

UNITS = OVERLAY / "usr/lib/systemd/system"
SERVICES = sorted(path.name for path in UNITS.glob("archipel-*.service"))
MAX_EXPOSURE = 1.5


def archipel_in(folder, name, invitation=None):
    """An island in `folder`; the environment in which the stick's script finds it."""
    (folder / "bin").mkdir(parents=True)
    (folder / "archipel.toml").write_text(
        f'[node]\nname = "{name}"\ndata = "{folder / "data"}"\n[radio]\nconnect = "none"\n')
    launch, python = folder / "launch", folder / "bin/python3"
    for path, text in ((launch, f'cd {PROJECT}\nexec {sys.executable} -m node "$@"\n'),
                       (python, f'exec {sys.executable} "$@"\n')):
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
    environment = {**os.environ, "ARCHIPEL": str(launch), "ARCHIPEL_CONFIG": str(folder / "archipel.toml"),
                   "PATH": f"{python.parent}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT)}
    subprocess.run([launch, *(["join", str(invitation)] if invitation else ["init"])], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    return environment


def plug(stick, folder, environment, here):
    """Let the image's script deal with a stick; `here` stands for its folder in /run."""
    subprocess.run([OVERLAY / "usr/lib/archipel/stick", str(stick), str(folder / "data"), str(here)], env=environment,
                   check=True)
