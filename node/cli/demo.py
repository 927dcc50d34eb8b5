"""`archipel demo`: three islands in a line on this machine, each a real `archipel run` with a simulated radio.

A hears B and B hears C; A and C never hear each other. Only the air is simulated: every island talks to its radio through
the `meshtastic` library over TCP, as it would to a radio on Wi-Fi.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click

from node.cli.demo_posts import seed
from node.cli.language import _, say, tongue
from node.cli.selftest import Failed, selftest
from node.cli.serve import PortTaken, check_free
from node.daemon.keyfiles import KeyFolder
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line

LETTERS = "ABC"
START_PATIENCE_S = 60
RESTART_S = 2
MOST_RESTARTS = 3  # of one island; what will not run is not started for ever
SAME_PROGRAM = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}  # not a stray node/ nearby


class Demo:
    """`speed`: how many times faster than real the air and the islands' clocks run; `folder` None for a passing one."""

    def __init__(self, speed: float, port: int, folder: Path | None):
        self.speed, self.ports = speed, [port + number for number in range(len(LETTERS))]
        self.names = [_("Island %(letter)s", letter=letter) for letter in LETTERS]
        self._passing = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="archipel-demo-"))
        self._since = time.time()  # noqa: TID251 - all islands of the demo start from the same moment
        self._children: list[subprocess.Popen] = []
        self._restarts = [0] * len(LETTERS)
        self._hold = ExitStack()
        self._is_new = False
        self._ended = threading.Event()
        self.mesh = SimulatedMesh(line(len(LETTERS)), seed=1, speed=speed)

    def run(self) -> int:
        """Until Ctrl-C."""
        with self:
            if self._is_new:
                seed(self.folders, datetime.fromtimestamp(self._since))  # as this machine's clock shows
            click.echo(self._greeting())
            while not self._ended.wait(RESTART_S):
                self._restart_the_dead()
        say("Stopped.")
        return 0

    def selftest(self) -> int:
        """Post on A, wait for C, compare, print the figures; 0 if all is well."""
        with self:
            try:
                click.echo("\n".join(selftest(self.urls, self.folders, self.mesh, self.speed)))
            except Failed as failure:
                click.echo(_("FAILED: %(why)s", why=failure.sentence), err=True)
                return 1
        return 0

    @property
    def urls(self) -> list[str]:
        """The portals' addresses."""
        return [f"http://127.0.0.1:{port}/" for port in self.ports]

    @property
    def folders(self) -> list[Path]:
        """The islands' data folders."""
        return [self.folder / letter for letter in "abc"]

    def __enter__(self) -> "Demo":
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: self._ended.set())
        try:
            self._hold_ports()
            self._prepare(self.mesh.start())
            self._children = [self._start(folder) for folder in self.folders]
            self._wait_for_portals()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for child in self._children:
            child.terminate()
        for child in self._children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        self.mesh.close()
        self._hold.close()
        if self._passing:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _hold_ports(self) -> None:
        """Another program that answers there would be taken for an island; two demos that start at once would both wait."""
        path = Path(tempfile.gettempdir()) / f"archipel-demo-{self.ports[0]}.lock"
        lock = self._hold.enter_context(path.open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise click.ClickException(_("This demo runs already: %(address)s. End it with Ctrl-C, or start another one "
                                         "with --port.", address=self.urls[0])) from error
        try:
            for port in self.ports:
                check_free(("127.0.0.1", port))
        except PortTaken as taken:
            raise click.ClickException(taken.worded()) from taken

    def _prepare(self, radio_ports: list[int]) -> None:
        first, *others = [KeyFolder(folder) for folder in self.folders]
        if not first.charter_exists():
            self._is_new = True
            first.found(_("Demo"), self.names[0])
            for name, other in zip(self.names[1:], others, strict=True):
                other.join(first.invite(), name)
        for name, folder, port, radio in zip(self.names, self.folders, self.ports, radio_ports, strict=True):
            (folder / "archipel.toml").write_text(
                f'[node]\nname = "{name}"\nlanguage = "{tongue()}"\ndata = "{folder}"\n\n'
                f'[portal]\nlisten = "127.0.0.1:{port}"\n\n'
                f'[radio]\nconnect = "tcp:127.0.0.1:{radio}"\n', encoding="utf-8")

    def _start(self, folder: Path) -> subprocess.Popen:
        command = [sys.executable, "-m", "node", "run", "--config", str(folder / "archipel.toml"),
                   "--speed", str(self.speed), "--since", repr(self._since)]
        # A session of its own: Ctrl-C is for the demo, which then ends the islands in good order.
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True,  # noqa: S603 - our own program
                                    env={**os.environ, **SAME_PROGRAM})

    def _wait_for_portals(self) -> None:
        give_up_at = time.monotonic() + START_PATIENCE_S
        for url, folder, child in zip(self.urls, self.folders, self._children, strict=True):
            while not self._answers(url) or child.poll() is not None:
                if child.poll() is not None or time.monotonic() > give_up_at:
                    raise click.ClickException(_("%(address)s did not start. Its last words:\n%(words)s", address=url,
                                                 words=last_words(folder)))
                if self._ended.wait(0.2):
                    raise click.Abort

    @staticmethod
    def _answers(url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _restart_the_dead(self) -> None:
        for number, child in enumerate(self._children):
            if child.poll() is not None:
                self._restarts[number] += 1
                if self._restarts[number] > MOST_RESTARTS:
                    raise click.ClickException(_("%(address)s did not start. Its last words:\n%(words)s",
                                                 address=self.urls[number], words=last_words(self.folders[number])))
                say("%(name)s has stopped; starting it again.", name=self.names[number])
                self._children[number] = self._start(self.folders[number])

    def _greeting(self) -> str:
        islands = "\n".join(f"  {name}   {url}" for name, url in zip(self.names, self.urls, strict=True))
        return _("Three islands; A hears B, B hears C, A and C never hear each other:\n\n%(islands)s\n\n"
                 "Post a bulletin on %(first)s and read it on %(last)s: about a minute later by the radios' time, "
                 "which runs %(speed)s times faster here (--speed 1 for real time).\n"
                 "Data and logs: %(folder)s\nCtrl-C stops everything.", islands=islands, first=self.names[0],
                 last=self.names[2], speed=f"{self.speed:g}", folder=str(self.folder))


def last_words(folder: Path) -> str:
    """The end of an island's log."""
    return "\n".join((folder / "log").read_text(errors="replace").splitlines()[-15:])
