"""Whether this machine may have the internet: whether it knows a way to places that it does not know (Linux route tables).

A way is no proof, and costs nothing to look for: without one nothing is tried at all.
"""

from pathlib import Path

ROUTES, ROUTES_6 = Path("/proc/net/route"), Path("/proc/net/ipv6_route")  # proc(5)
UP = 0x1  # RTF_UP
REJECT = 0x0200  # RTF_REJECT
NOWHERE = "00000000"


def has_way_out() -> bool:
    """Whether there is a default route that is up; True where nobody can tell."""
    try:
        lines = ROUTES.read_text().splitlines()[1:]
    except OSError:
        return True
    return any(_leads_out(line.split()) for line in lines) or _has_way_out_6()


def _leads_out(fields: list[str]) -> bool:
    """Of IPv4: interface, destination, gateway, flags, ..., mask at 7."""
    if len(fields) < 8 or not _is_usable(fields[3]):
        return False
    return (fields[1], fields[7]) == (NOWHERE, NOWHERE)


def _has_way_out_6() -> bool:
    """Of IPv6: destination, its length, source, its length, next hop, metric, ..., flags at 8, interface."""
    try:
        lines = [line.split() for line in ROUTES_6.read_text().splitlines()]
    except OSError:
        return False
    return any(len(fields) > 9 and set(fields[0]) == {"0"} and fields[1] == "00" and _is_usable(fields[8])
               and fields[9] != "lo" for fields in lines)


def _is_usable(flags: str) -> bool:
    try:
        return int(flags, 16) & (UP | REJECT) == UP
    except ValueError:
        return False
