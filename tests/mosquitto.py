"""A real mosquitto on a free loopback port, for tests: started, stopped, killed, wiped."""

import contextlib
import socket
import subprocess
import time


class Mosquitto:
    """A broker that keeps what is retained in `folder`. `extra` are lines for its configuration."""

    def __init__(self, folder, extra=""):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.process = None
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nuser root\nlog_dest none\n{extra}\n")

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.folder / "mosquitto.conf")])
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert time.monotonic() < end and self.process.poll() is None, "mosquitto did not start"
            time.sleep(0.01)

    def stop(self):
        """In good order: what is retained is written down."""
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def wipe(self):
        """Lose everything retained."""
        self.stop()
        for kept in self.folder.glob("mosquitto.db*"):
            kept.unlink()
