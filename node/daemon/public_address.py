"""Which network addresses are on the open internet, and which would lead a request into somebody's own network.

What an island fetches is named by strangers: by an agenda's owner, by whoever answers for a name, by a redirection. None of
them may have it talk to the box itself, to the router or a machine behind it (IANA's special-purpose registries, RFC 6890).
"""

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Python's own `is_global` says other things in other versions, and calls multicast global.
CLOSED = tuple(map(IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4")))
OPEN_6 = IPv6Network("2000::/3")  # all that is given out so far
CLOSED_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))  # tunnels among them
TRANSLATED = IPv6Network("64:ff9b::/96")  # how a network without IPv4 reaches it (RFC 6052): the last 32 bits count


class NotPublic(OSError):
    """A name or a redirection leads into a private network: `host` as it was written, `address` where it leads."""

    def __init__(self, host: str, address: str):
        super().__init__(f"{host} leads to {address}")
        self.host, self.address = host, address


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the open internet; False for what is none."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return _is_open(known) if isinstance(known, IPv4Address) else _is_open_6(known)


def addresses_of(host: str, port: int, allowed: Collection[str] = ()) -> list[str]:
    """All addresses of a host, numeric, in the order to try them; raises NotPublic when one of them is not public, and
    OSError (`gaierror`) for a name that nobody knows. `allowed`: hosts, or host:port, that may be anywhere."""
    try:
        found = socket.getaddrinfo(host.encode("idna").decode("ascii"), port, type=socket.SOCK_STREAM)
    except (UnicodeError, ValueError, OverflowError) as error:  # an empty label, one of 64 octets, a NUL, port 70000
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    if not {host.lower(), f"{host.lower()}:{port}"} & set(allowed):
        for address in addresses:
            if not is_public(address):
                raise NotPublic(host, address)
    return addresses


def _is_open(address: IPv4Address) -> bool:
    return not any(address in network for network in CLOSED)


def _is_open_6(address: IPv6Address) -> bool:
    if address in TRANSLATED:
        return _is_open(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.scope_id is None and address in OPEN_6 and not any(address in network for network in CLOSED_6)
