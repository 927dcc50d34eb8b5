"""Simulated Meshtastic radios on one simulated air, reachable over TCP or a serial line (a pty), faster than real if asked.

One thread owns everything; every public method may be called from any other. After `with SimulatedMesh(line(3)) as mesh:`
`mesh.ports[0]` is the TCP port of node 0's radio.
"""

import asyncio
import contextlib
import os
import random
import socket
import threading
import time
import tty
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from radio.lora import PRESETS
from radio.sim.air import Air, Node
from radio.sim.simdevice import Device, acquaint
from radio.sim.simnodes import DeviceSettings
from radio.sim.topology import Pairs

FIRST_NUMBER = 0xA1C00000  # node 0 of a topology is radio !a1c00000
MAX_UNREAD_BYTES = 1 << 18  # for a client that does not read
READ_BYTES = 4096
SEND_BUFFER_BYTES = 1 << 15  # a radio has little memory: the machine's own buffers would hide a client that sleeps
START_TIMEOUT_S = 10
RESTARTS_S = 7  # after it was set up by its client


@dataclass(eq=False)
class _Client:
    """An open stream to a device: how to write to it and how to end it."""

    write: Callable[[bytes], None]
    close: Callable[[], None]


@dataclass(frozen=True)
class _SerialLine:
    """Both ends of a pty, as file descriptors."""

    ours: int
    theirs: int


@dataclass(eq=False)
class _PluggedDevice:
    """A device and what it is plugged into."""

    settings: DeviceSettings
    device: Device
    on: bool = True
    client: _Client | None = None
    server: asyncio.Server | None = None
    line: _SerialLine | None = None
    tasks: set = field(default_factory=set)
    hangs: bool = False


class SimulatedMesh:
    """`pairs`: who hears whom; `settings`: how devices are set up, single ones by node, or all alike but for numbers."""

    def __init__(self, pairs: Pairs, seed: int = 0, speed: float = 1.0, loss: float = 0.0,
                 settings: dict[Node, DeviceSettings] | DeviceSettings | None = None):
        common = settings if isinstance(settings, DeviceSettings) else DeviceSettings(FIRST_NUMBER)
        given = settings if isinstance(settings, dict) else {}
        nodes = dict.fromkeys([node for pair in pairs for node in pair] + list(given))
        each = {node: given.get(node) or replace(common, number=FIRST_NUMBER + place) for place, node in enumerate(nodes)}
        preset = next((one.preset for one in each.values()), "LONG_FAST")
        self.speed = speed
        self.ports: dict[Node, int] = {}
        self._air = Air(random.Random(seed), PRESETS[preset])  # noqa: S311 - a simulation, not a secret
        self._numbers = {node: one.node for node, one in each.items()}
        for chosen in each.values():
            self._air.add(chosen.node, chosen.habits)
        self._radios = {one.node: _PluggedDevice(one, Device(self._air, one)) for one in each.values()}
        acquaint(radio.device for radio in self._radios.values())
        for one, other in pairs:
            self._air.connect(self._numbers[one], self._numbers[other], loss)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulated mesh", daemon=True)
        self._timer: asyncio.TimerHandle | None = None
        self._started_at = 0.0

    def start(self, ports: dict[Node, int] | None = None) -> list[int]:
        """Switch everything on; TCP ports on 127.0.0.1 in the order of nodes (`ports` may choose some; others are free)."""
        self._thread.start()
        self._ask(self._open(ports or {}))
        return list(self.ports.values())

    def close(self) -> None:
        """Switch everything off; twice is allowed."""
        if self._thread.is_alive():
            self._ask(self._shut())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        if not self._loop.is_closed():
            self._loop.close()

    def __enter__(self) -> "SimulatedMesh":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def number(self, node: Node) -> int:
        """The node number of a node's radio, as of now."""
        return self._numbers[node]

    def counters(self) -> dict[str, float]:
        """What went over the air so far: `airtime_s`, `frames`, `bytes` (headers included), and what befell it."""
        return {"airtime_s": sum(self._air.airtime_s.values()), "frames": 0, "bytes": 0, **self._air.counters}

    def now(self) -> float:
        """Seconds of the air's time since the start."""
        return (time.monotonic() - self._started_at) * self.speed

    def switch(self, node: Node, on: bool) -> None:
        """Cut a radio's power or give it back: its client is thrown out, its queue forgotten, its port closed. It keeps its
        settings and the nodes it knows."""
        self._ask(self._switch(self._radios[self._numbers[node]], on))

    def hang(self, node: Node) -> None:
        """Let a radio take everything and say nothing more, its line still there, until its power is cut (`switch`)."""
        self._ask(self._do(lambda: setattr(self._radios[self._numbers[node]], "hangs", True)))

    def restart(self, node: Node, settings: DeviceSettings | None = None, misses: int = 0, forgets: bool = False) -> None:
        """Let a radio start anew, its power never cut: on TCP its client is thrown out, on a serial line it says so. With
        other `settings`, if wanted: of newer firmware, with another key and thus another number. It misses so many of the
        client's next questions, and `forgets` the nodes that it knew.
        """
        self._ask(self._do(lambda: self._restart(self._radios[self._numbers[node]], settings, misses, forgets)))

    def set_up(self, node: Node, settings: DeviceSettings) -> None:
        """Let another client (a telephone by Bluetooth) set a radio up anew, which its own client is not told."""
        self._ask(self._do(lambda: self._set_up(self._radios[self._numbers[node]], settings)))

    def numb(self, node: Node) -> None:
        """Let a radio answer heartbeats and do nothing else, until it starts anew."""
        self._ask(self._do(lambda: setattr(self._radios[self._numbers[node]].device, "numb", True)))

    def partition(self, *groups: Iterable[Node]) -> None:
        """Let different groups no longer hear each other; without groups everybody meets again."""
        numbers = [[self._numbers[node] for node in group] for group in groups]
        self._ask(self._do(lambda: self._air.partition(*numbers)))

    def plug(self, node: Node, path: str) -> None:
        """Let a node's radio be reached through a serial line whose device file is at `path`."""
        self._ask(self._do(lambda: self._plug(self._radios[self._numbers[node]], path)))

    def unplug(self, node: Node, path: str) -> None:
        """Pull the cable: the device file vanishes."""
        os.unlink(path)
        self._ask(self._do(lambda: self._unplug(self._radios[self._numbers[node]])))

    # the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _ask(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_TIMEOUT_S)

    async def _do(self, work: Callable[[], None]) -> None:
        self._advance()
        work()

    async def _open(self, ports: dict[Node, int]) -> None:
        self._started_at = time.monotonic()
        for node, number in self._numbers.items():
            self.ports[node] = ports.get(node, 0)
            await self._listen(self._radios[number], node)
        self._advance()

    async def _listen(self, radio: _PluggedDevice, node: Node) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(radio, reader, writer)

        radio.server = await asyncio.start_server(serve, "127.0.0.1", self.ports[node])
        self.ports[node] = radio.server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._timer:
            self._timer.cancel()
        for radio in self._radios.values():
            await self._power_off(radio)

    async def _switch(self, radio: _PluggedDevice, on: bool) -> None:
        self._advance()
        number = radio.settings.node
        self._air.switch(number, on, self.now())
        if not on:
            await self._power_off(radio)
        elif not radio.on:
            radio.device = Device(self._air, radio.settings, self.now(), radio.device.nodes)
            node = next(node for node, one in self._numbers.items() if one == number)
            await self._listen(radio, node)
        radio.on = on

    async def _power_off(self, radio: _PluggedDevice) -> None:
        radio.hangs = False
        self._unplug(radio)
        self._attach(radio, None)
        if radio.server:
            radio.server.close()
            radio.server = None
        if radio.tasks:
            await asyncio.wait(radio.tasks)

    def _restart(self, radio: _PluggedDevice, settings: DeviceSettings | None, misses: int, forgets: bool) -> None:
        before, radio.settings = radio.settings, settings or radio.settings
        now = self.now()
        if radio.settings.node != before.node:
            self._air.succeed(before.node, radio.settings.node, now)
            self._radios[radio.settings.node] = self._radios.pop(before.node)
            self._numbers |= {node: radio.settings.node for node, number in self._numbers.items() if number == before.node}
        self._air.switch(radio.settings.node, False, now)
        self._air.switch(radio.settings.node, True, now)
        nodes = None if forgets else radio.device.nodes.of(radio.settings)
        self._air.adopt(radio.settings.node, radio.settings.habits)
        radio.device = Device(self._air, radio.settings, now, nodes)
        radio.device.misses = misses
        if radio.line and radio.client:
            radio.device.attach()
            radio.device.say_rebooted()
        else:
            self._attach(radio, None)

    def _set_up(self, radio: _PluggedDevice, settings: DeviceSettings) -> None:
        radio.settings = radio.device.settings = settings
        radio.device.nodes.of(settings)
        self._air.adopt(settings.node, settings.habits)

    # clients

    def _attach(self, radio: _PluggedDevice, client: _Client | None) -> None:
        """A device has one client: a new one takes the place of the old."""
        if radio.client:
            radio.client.close()
        radio.client = client
        radio.device.attach() if client else radio.device.detach()

    async def _serve(self, radio: _PluggedDevice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        radio.tasks.add(task)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        client = _Client(self._bounded(writer), writer.transport.abort)
        self._attach(radio, client)
        with contextlib.suppress(OSError):
            while radio.client is client and (data := await reader.read(READ_BYTES)):
                if writer.transport.is_closing():
                    break  # thrown out: what it still had to say is not worth the work
                self._receive(radio, client, data)
        self._leave(radio, client)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        radio.tasks.discard(task)

    @staticmethod
    def _bounded(writer: asyncio.StreamWriter) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            if writer.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
                writer.transport.abort()
            else:
                writer.write(data)

        return write

    def _leave(self, radio: _PluggedDevice, client: _Client) -> None:
        if radio.client is client:
            radio.client = None
            radio.device.detach()

    def _receive(self, radio: _PluggedDevice, client: _Client, data: bytes) -> None:
        if radio.hangs:
            return
        self._advance()
        if radio.client is client:
            radio.device.receive(data, self.now())
            self._advance()
            if radio.device.wanted:
                self._loop.call_later(RESTARTS_S / self.speed, self._restart_wanted, radio, radio.device)
        if radio.client is client and not radio.device.attached:
            client.close()  # it said goodbye

    def _restart_wanted(self, radio: _PluggedDevice, device: Device) -> None:
        """What a client wanted set holds after a start."""
        if radio.device is device and device.wanted:
            self._advance()
            self._restart(radio, device.wanted, 0, False)
            self._advance()

    def _plug(self, radio: _PluggedDevice, path: str) -> None:
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        os.symlink(os.ttyname(theirs), path)
        radio.line = _SerialLine(ours, theirs)

        def write(data: bytes) -> None:
            with contextlib.suppress(OSError):  # nobody reads the line: what does not fit is lost, as on a wire
                os.write(ours, data)

        client = _Client(write, lambda: None)
        self._attach(radio, client)
        self._loop.add_reader(ours, self._read_line, radio, client, ours)

    def _read_line(self, radio: _PluggedDevice, client: _Client, ours: int) -> None:
        try:
            data = os.read(ours, READ_BYTES)
        except OSError:
            return
        self._attach_line(radio, client)
        self._receive(radio, client, data)

    def _attach_line(self, radio: _PluggedDevice, client: _Client) -> None:
        if radio.client is not client or not radio.device.attached:
            self._attach(radio, client)

    def _unplug(self, radio: _PluggedDevice) -> None:
        if radio.line:
            self._loop.remove_reader(radio.line.ours)
            for end in (radio.line.ours, radio.line.theirs):
                os.close(end)
            radio.line = None
            self._attach(radio, None)

    # time

    def _advance(self) -> None:
        """Let the air and the devices catch up with the clock, hand out what they say, set the next alarm."""
        now = self.now()
        while (at := self._next_at()) <= now:
            for happening in self._air.advance(at):
                if self._radios[happening.node].on:
                    self._radios[happening.node].device.happened(happening)
            for radio in self._radios.values():
                if radio.on:
                    radio.device.tick(at)
        self._air.advance(now)
        for radio in self._radios.values():
            said = radio.device.take()
            if said and radio.client and not radio.hangs:
                radio.client.write(said)
        self._set_alarm(now)

    def _next_at(self) -> float:
        at = min((radio.device.next_at() for radio in self._radios.values() if radio.on), default=float("inf"))
        air_at = self._air.next_at()
        return at if air_at is None else min(at, air_at)

    def _set_alarm(self, now: float) -> None:
        if self._timer:
            self._timer.cancel()
        at = self._next_at()
        if at < float("inf"):
            self._timer = self._loop.call_later(max(at - now, 0) / self.speed, self._advance)
