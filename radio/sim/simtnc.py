"""Simulated KISS TNCs on one channel: what one is given the others hear. By TCP or by a pseudo-terminal (a serial line)."""

import contextlib
import io
import os
import pty
import selectors
import socket
import threading
import tty
from dataclasses import dataclass, field
from functools import partial

from radio.kiss.frames import Unkiss, kissed

READ_BYTES = 4_096


@dataclass
class _TncClient:
    """Who talks to TNC `number`, and what it said so far."""

    number: int
    unkiss: Unkiss = field(default_factory=Unkiss)


class SimulatedTncs:
    """`count` TNCs; `ports` are where they listen on 127.0.0.1. A frame is passed on whole, to every other one."""

    def __init__(self, count: int):
        self._servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        self.ports = [server.getsockname()[1] for server in self._servers]
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _TncClient] = {}  # by file descriptor
        self._held: list[io.FileIO] = []  # the clients' ends of lines, so that they stay open
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for number, server in enumerate(self._servers):
            self._selector.register(server, selectors.EVENT_READ, partial(self._accept, server, number))
        self._thread = threading.Thread(target=self._run, name="simulated tncs", daemon=True)
        self._thread.start()

    def plug(self, number: int, path: str) -> None:
        """Let TNC `number` also be found at `path`, a pseudo-terminal."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), path)
        self._held.append(os.fdopen(slave, "rb", buffering=0))
        self._meet(master, number)
        self._wake.send(b"!")

    def close(self) -> None:
        """Switch all off."""
        self._wake.close()
        self._thread.join(5)

    def _meet(self, descriptor: int, number: int) -> None:
        self._clients[descriptor] = _TncClient(number)
        self._selector.register(descriptor, selectors.EVENT_READ, partial(self._pass_on, descriptor))

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data:
                    key.data()
                elif not self._woken.recv(1):
                    self._end()
                    return

    def _accept(self, server: socket.socket, number: int) -> None:
        client, _ = server.accept()
        self._meet(client.detach(), number)

    def _pass_on(self, descriptor: int) -> None:
        sender = self._clients[descriptor]
        try:
            received = os.read(descriptor, READ_BYTES)
        except OSError:
            received = b""
        if not received:
            self._drop(descriptor)
        for frame in sender.unkiss.feed(received):
            for other, client in list(self._clients.items()):
                if client.number != sender.number:
                    with contextlib.suppress(OSError):
                        os.write(other, kissed(frame))

    def _drop(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        del self._clients[descriptor]
        os.close(descriptor)

    def _end(self) -> None:
        for server in self._servers:  # first, so that nobody who is dropped comes back to one that is being switched off
            server.close()
        for descriptor in list(self._clients):
            self._drop(descriptor)
        for held in self._held:
            held.close()
        self._woken.close()
        self._selector.close()
