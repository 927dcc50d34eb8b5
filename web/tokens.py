"""Tokens inside public forms (cookies die in the Wi-Fi pop-up window): each lets one post through, once."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from itsdangerous import BadSignature, URLSafeTimedSerializer

from node.model.clock import SystemClock

MAX_AGE_S = 24 * 3600
MAX_REMEMBERED = 500
PATIENCE_S = 60
Done = TypeVar("Done")


class TokenExpired(Exception):
    """The form was open for too long, or its token is not ours."""


class FormTokens:
    """Signed with a key that outlives restarts; what each has posted is remembered in memory, the latest 500."""

    def __init__(self, secret: bytes):
        self._signed = URLSafeTimedSerializer(secret, salt="public form")
        self._posted: OrderedDict[str, Future] = OrderedDict()
        self._lock = threading.Lock()
        self._started_at = SystemClock().now()

    def issue(self) -> str:
        """A new token."""
        return self._signed.dumps(secrets.token_hex(8))

    def once(self, token: str, post: Callable[[bool], Done]) -> Done:
        """What `post(forgotten)` gave the first time this token came; a second press waits for the first.

        `forgotten`: the token is older than this process, which may have posted it in its last life. When `post` raises,
        the token is good again. Raises TokenExpired.
        """
        try:
            nonce, issued = self._signed.loads(token, max_age=MAX_AGE_S, return_timestamp=True)
        except BadSignature as error:
            raise TokenExpired from error
        mine, outcome = self._claim(nonce)
        if not mine:
            return outcome.result(PATIENCE_S)
        try:
            outcome.set_result(post(issued.timestamp() < self._started_at))
        except BaseException as error:
            with self._lock:
                self._posted.pop(nonce, None)
            outcome.set_exception(error)
        return outcome.result()

    def _claim(self, nonce: str) -> tuple[bool, Future]:
        with self._lock:
            if nonce in self._posted:
                return False, self._posted[nonce]
            outcome = self._posted[nonce] = Future()
            while len(self._posted) > MAX_REMEMBERED:
                self._posted.popitem(last=False)
            return True, outcome
