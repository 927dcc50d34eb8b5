"""Who is signed in: a table in memory, so that a session ends when it is ended, whoever has a copy of its cookie.

A cookie holds a random id and nothing else; the table knows its hash. After a restart nobody is signed in.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.wrappers import Response as BaseResponse

COOKIE, COOKIE_PATH = "keeper", "/keeper"  # readers never get one
SECURE = "__Secure-"  # before a cookie's name over https: browsers take and send one so named over https only (RFC 6265bis)
IDLE_S = 45 * 60.0  # longer than a form is filled in, shorter than a phone lies about
LIFE_S = 12 * 3600.0
MAX_EACH = 10  # open sessions of one keeper; the one that was used longest ago goes
ID_BYTES = 24


class KeeperSession(dict, SessionMixin):
    """What `flask.session` is for one request: `name`, `csrf`, `label` of who is signed in, else empty. To read only."""


@dataclass
class OpenSession:
    """One keeper on one browser. `opened` and `used` are monotonic seconds; `label` tells it from others on a page.

    `secure`: opened over https, and good over https only; one that was opened over http is good over http only.
    """

    name: str
    password_hash: str
    opened: float
    used: float
    secure: bool
    csrf: str = field(default_factory=lambda: secrets.token_hex(16))
    label: str = field(default_factory=lambda: secrets.token_hex(8))


class OpenSessions(SessionInterface):
    """All open sessions, for Flask and for the keepers' page. Safe from any thread.

    `known(name)` is the hash of a keeper's password, None for who is no keeper: a session is good under the hash it was
    opened with, so it ends when its keeper gets another password or is removed, however that was done. `path`: where their
    cookie is sent.
    """

    def __init__(self, known: Callable[[str], str | None], monotonic: Callable[[], float], path: str = COOKIE_PATH):
        self._known, self._monotonic, self._path = known, monotonic, path
        self._lock = threading.Lock()
        self._open: dict[bytes, OpenSession] = {}  # by the hash of the cookie

    def open_session(self, app: Flask, request: Request) -> KeeperSession:
        """Flask asks for it at each request."""
        found = self.of(request.cookies.get(cookie_name(COOKIE, request.is_secure), ""), request.is_secure)
        return KeeperSession(name=found.name, csrf=found.csrf, label=found.label) if found else KeeperSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing: a session changes by `start` and `end` alone."""

    def start(self, name: str, password_hash: str, response: BaseResponse, secure: bool) -> None:
        """Open a session for a keeper who gave the password of this hash, on the browser that gets the response.

        `secure`: whether that is over https.
        """
        cookie, now = secrets.token_urlsafe(ID_BYTES), self._monotonic()
        with self._lock:
            self._drop_ended()
            mine = sorted((one.used, key) for key, one in self._open.items() if one.name == name)
            for _used, key in mine[:max(0, len(mine) + 1 - MAX_EACH)]:
                del self._open[key]
            self._open[_hashed(cookie)] = OpenSession(name, password_hash, now, now, secure)
        response.set_cookie(cookie_name(COOKIE, secure), cookie, max_age=int(LIFE_S), path=self._path, secure=secure,
                            httponly=True, samesite="Strict")

    def of(self, cookie: str, secure: bool) -> OpenSession | None:
        """The open session of a cookie that came over https or not, used just now; None if there is none (any more)."""
        with self._lock:
            self._drop_ended()
            found = self._open.get(_hashed(cookie))
            if found is None or found.secure != secure:
                return None
            found.used = self._monotonic()
            return found

    def end(self, label: str) -> None:
        """End one; who has no session of this label has none."""
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.label != label}

    def listed(self) -> list[tuple[str, str, int, int]]:
        """(label, keeper, minutes since it was opened, minutes since it was used) of all, the last used first."""
        now = self._monotonic()
        with self._lock:
            self._drop_ended()
            found = sorted(self._open.values(), key=lambda one: one.used, reverse=True)
        return [(one.label, one.name, int(now - one.opened) // 60, int(now - one.used) // 60) for one in found]

    def _drop_ended(self) -> None:
        self._open = {key: one for key, one in self._open.items() if self._is_good(one)}

    def _is_good(self, one: OpenSession) -> bool:
        now = self._monotonic()
        return now - one.used < IDLE_S and now - one.opened < LIFE_S and self._known(one.name) == one.password_hash


def cookie_name(name: str, secure: bool) -> str:
    """A cookie's name over https or http: of each its own, or one would be in the other's way on the same host."""
    return SECURE + name if secure else name


def _hashed(cookie: str) -> bytes:
    return hashlib.blake2b(cookie.encode("utf-8", "replace"), digest_size=16).digest()
