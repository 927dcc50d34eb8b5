"""A real mosquitto on a free loopback port, for tests: started, stopped, killed, wiped."""

import socket
import subprocess

from tests.ports import free_ports
from tests.waiting import until

PATIENCE_S = 60


class Mosquitto:
    """A broker that keeps what is retained in `folder`. `extra` are lines for its configuration."""

    def __init__(self, folder, extra=""):
        self.port, self.folder = free_ports(), folder
        self.process = None
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nuser root\nlog_dest none\n{extra}\n")

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.folder / "mosquitto.conf")])
        until(self._listens, PATIENCE_S)
        return self

    def _listens(self):
        assert self.process.poll() is None, "mosquitto did not start"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """In good order: what is retained is written down."""
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def wipe(self):
        """Lose everything retained."""
        self.stop()
        for kept in self.folder.glob("mosquitto.db*"):
            kept.unlink()
