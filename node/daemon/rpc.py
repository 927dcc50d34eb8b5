"""How the command line asks the running island: a Unix socket in its data folder, one JSON line each way.

Only who may read the folder can ask (mode 0600), so there is no password. A request is `{"do": NAME, ...}`; the answer is
`{"ok": VALUE}` or `{"error": {"reason": REASON, ...}}`, which who asked puts into words.
"""

import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from node.board.api import BoardClosed
from node.i18n.sentence import Explained
from node.store.index import StoreFailed

log = logging.getLogger(__name__)

SOCKET_NAME = "control.sock"
MAX_LINE_BYTES = 4_000_000
PATIENCE_S = 120
CLOSE_S = 2.0  # for an answer under way; whoever asks and says nothing is left behind

Handler = Callable[[dict], Any]


class NotRunning(Exception):
    """No island runs on this folder."""


class RefusalReason(StrEnum):
    """Why the island will not; `fields` of Refused say more."""

    UNKNOWN_REQUEST = "unknown-request"
    DRAFT = "draft"  # problems: [{field, code, amount}], as node.board.api.Problem
    EXPLAINED = "explained"  # sentence: why, as node.i18n.sentence.Sentence.to_json has it
    CLOSED = "closed"  # code: a reason of BoardClosed or StoreFailed
    FAILED = "failed"  # what: an error that nobody expected, as the program has it


class Refused(Exception):
    """The island will not: a reason and what belongs to it. Handlers raise it, and so does `ask` on the other side."""

    def __init__(self, reason: RefusalReason, **fields: Any):
        super().__init__(f"{reason} {fields}" if fields else reason)
        self.reason, self.fields = reason, fields


def ask(folder: Path, do: str, **request: Any) -> Any:
    """What the island running on `folder` answers; raises NotRunning or Refused."""
    with closing(socket.socket(socket.AF_UNIX)) as client, _short(folder) as path:
        try:
            client.connect(path)
        except OSError as error:
            raise NotRunning(str(folder)) from error
        client.settimeout(PATIENCE_S)
        try:
            client.sendall(json.dumps({"do": do, **request}).encode() + b"\n")
            answer = json.loads(_line(client))
        except (OSError, ValueError) as error:  # it stopped, or thinks for too long
            raise Refused(RefusalReason.FAILED, what=str(error)) from error
    if "error" in answer:
        raise _refused(answer["error"])
    return answer["ok"]


class RpcServer:
    """Answers requests with `handlers` (by name) until closed; one thread, one request at a time."""

    def __init__(self, folder: Path, handlers: dict[str, Handler]):
        self._folder, self._handlers = folder, handlers
        self._socket = socket.socket(socket.AF_UNIX)
        (folder / SOCKET_NAME).unlink(missing_ok=True)
        with _short(folder) as path:
            previous = os.umask(0o177)
            try:
                self._socket.bind(path)
            finally:
                os.umask(previous)
        self._socket.listen(8)
        self._thread = threading.Thread(target=self._serve, name="rpc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        with suppress(OSError):  # twice is allowed
            self._socket.shutdown(socket.SHUT_RDWR)  # closing alone does not wake its thread
        self._socket.close()
        (self._folder / SOCKET_NAME).unlink(missing_ok=True)
        self._thread.join(CLOSE_S)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # closed
                return
            with closing(client):
                try:
                    client.settimeout(10)
                    client.sendall(json.dumps(self._answer(_line(client))).encode() + b"\n")
                except (OSError, ValueError):
                    continue  # who asked went away, or spoke nonsense
                except Exception:  # nonsense of a kind that nobody thought of must not end this thread
                    log.exception("a request of the command line failed")

    def _answer(self, line: bytes) -> dict:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("not a request")
        handler = self._handlers.get(request.pop("do", ""))
        if handler is None:
            return _error(Refused(RefusalReason.UNKNOWN_REQUEST))
        try:
            return {"ok": handler(request)}
        except Refused as refused:
            return _error(refused)
        except Explained as explained:
            return _error(Refused(RefusalReason.EXPLAINED, sentence=explained.sentence.to_json()))
        except (BoardClosed, StoreFailed) as failure:
            return _error(Refused(RefusalReason.CLOSED, code=failure.reason))
        except Exception as error:  # whatever failed, who asked must learn it and the island must go on
            return _error(Refused(RefusalReason.FAILED, what=str(error) or type(error).__name__))


def _error(refused: Refused) -> dict[str, Any]:
    return {"error": {"reason": refused.reason, **refused.fields}}


def _refused(error: Any) -> Refused:
    """What an island answered; one of another version may answer what nobody here knows."""
    fields = dict(error) if isinstance(error, dict) else {}
    reason = fields.pop("reason", "")
    if reason not in set(RefusalReason):
        return Refused(RefusalReason.FAILED, what=str(error))
    return Refused(RefusalReason(reason), **fields)


def _line(peer: socket.socket) -> bytes:
    parts = b""
    while not parts.endswith(b"\n"):
        part = peer.recv(65_536)
        if not part or len(parts) > MAX_LINE_BYTES:
            raise ValueError("the line ended early or is too long")
        parts += part
    return parts


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A path to the socket that fits 108 bytes however deep the folder lies."""
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise NotRunning(str(folder)) from error
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)
