"""Where the SD image's own files lie, and how exposed its services may be."""

from archipel_image.sources import OVERLAY

UNITS = OVERLAY / "usr/lib/systemd/system"
SERVICES = sorted(path.name for path in UNITS.glob("archipel-*.service"))
MAX_EXPOSURE = 1.5
