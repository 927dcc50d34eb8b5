"""Who asks, as far as bounds need to know: one visitor is told from another, and nobody can tell which phone it was.

A visitor is an address. It is told by a hash under a salt that changes and is in memory only.
"""

import hashlib
import ipaddress
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

SALT_S = 86_400.0  # what is bounded by the day cannot be told apart for longer
NETWORK_BITS = 64  # of IPv6: one phone changes the other half as it likes (RFC 8981), and has them all
KEY_BYTES = 12


class BehindFront:
    """WSGI: what a front says of its client counts only when it comes from this machine, or over a Unix socket."""

    def __init__(self, plain: Callable):
        self._plain, self._fronted = plain, ProxyFix(plain)

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        """Hand the request on, with the client's address in REMOTE_ADDR."""
        front = is_here(environ.get("REMOTE_ADDR", ""))
        return (self._fronted if front else self._plain)(environ, start_response)


def is_here(peer: str) -> bool:
    """Whether a socket's other end is on this machine; a Unix socket's has no address."""
    address = _address(peer)
    return address.is_loopback if address else not peer


class VisitorKeys:
    """Addresses as keys that lead back to none: with another salt each day, and after each start. Safe from any thread."""

    def __init__(self, monotonic: Callable[[], float]):
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._salt, self._until = b"", 0.0

    def key(self, client: str) -> bytes:
        """12 octets, the same for all addresses of one visitor: an IPv4 address, or a /64 of IPv6."""
        return hashlib.blake2b(_network(client), digest_size=KEY_BYTES, key=self._salt_now()).digest()

    def _salt_now(self) -> bytes:
        with self._lock:
            now = self._monotonic()
            if not self._salt or now >= self._until:
                self._salt, self._until = secrets.token_bytes(32), now + SALT_S
            return self._salt


def visitor() -> bytes:
    """The key of whoever sent the request that is being answered."""
    keys: VisitorKeys = current_app.extensions["visitors"]
    return keys.key(request.remote_addr or "")


def _network(client: str) -> bytes:
    address = _address(client)
    if address is None:
        return client.encode("utf-8", "replace")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.packed[:NETWORK_BITS // 8] + bytes([address.version])


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
