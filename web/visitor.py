"""Who writes here, as far as the board may know: a hash of an address, by a salt that changes. Nothing of it is written.

The address is that of the socket's peer. A front knows it (nginx on the Pi, else `node.daemon.lobby`), which is on this
machine and says who asked; from any other peer such a header is somebody's own invention.
"""

import hashlib
import ipaddress
import secrets
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from node.board.pace import Visitor

SALT_S = 2 * 3600.0  # a salt serves so long, and as long again to know who came before: after four hours nobody can tell
SALT_BYTES, HASH_BYTES = 32, 8
HOME_BITS = 64  # an IPv6 network of so many belongs to one machine or home, which may take any address in it


class VisitorHashes:
    """Addresses as the board knows them, for some hours. Safe from any thread. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]):
        self._monotonic, self._lock = monotonic, threading.Lock()
        self._salts = (secrets.token_bytes(SALT_BYTES), secrets.token_bytes(SALT_BYTES))  # this one, and the one before
        self._since = monotonic()

    def of(self, address: str) -> Visitor:
        """The visitor at an address; the same for four hours at most, and none of it for who looks later."""
        return self.of_name(home_of(address))

    def of_name(self, name: str) -> Visitor:
        """The same of whatever else tells visitors apart, such as the number of a radio."""
        salted = (hashlib.blake2b(name.encode(), key=salt, digest_size=HASH_BYTES) for salt in self._current())
        return Visitor(*(one.digest() for one in salted))

    def _current(self) -> tuple[bytes, bytes]:
        with self._lock:
            now = self._monotonic()
            for _salt in range(min(int((now - self._since) // SALT_S), 2)):
                self._salts = (secrets.token_bytes(SALT_BYTES), self._salts[0])
            if now - self._since >= SALT_S:
                self._since = now
            return self._salts


def home_of(address: str) -> str:
    """What counts as one visitor: an IPv4 address, an IPv6 network of 64 bits, or what is no address at all."""
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found), HOME_BITS), strict=False))
    return str(found or "")


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a peer, without the interface it came by; an IPv4 one as such, also inside an IPv6 one."""
    try:
        found = ipaddress.ip_address(written.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def visitor() -> Visitor:
    """Who sends this request."""
    hashes: VisitorHashes = current_app.extensions["visitors"]
    return hashes.of(request.remote_addr or "")


def bucket(salt: bytes) -> int:
    """A number below 65,536 for who sends this request, the same as long as the salt is: others may have it, too."""
    named = hashlib.blake2b(home_of(request.remote_addr or "").encode(), key=salt, digest_size=2)
    return int.from_bytes(named.digest(), "big")


class Front:
    """Passes on what the front tells of a client, when it is the front that asks: on this machine, or by a local socket."""

    def __init__(self, portal: Callable[..., Any]):
        self._portal, self._told = portal, ProxyFix(portal)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """The WSGI application."""
        told = self._told if is_here(environ.get("REMOTE_ADDR", "")) else self._portal
        return told(environ, start_response)


def is_here(address: str) -> bool:
    """Whether a peer is on this machine; a local socket has no address."""
    found = _address(address)
    return found.is_loopback if found else not address


def is_near(address: str) -> bool:
    """Whether a peer is on this machine or on a network of its own, by an address that the internet does not carry."""
    found = _address(address)
    return is_here(address) or bool(found and (found.is_private or found.is_link_local) and not found.is_unspecified)


def add_visitors(app: Flask, monotonic: Callable[[], float]) -> None:
    """Know visitors apart, by what the front says."""
    app.extensions["visitors"] = VisitorHashes(monotonic)
    app.wsgi_app = Front(app.wsgi_app)  # type: ignore[method-assign]  # how Flask takes middleware, by its manual
