"""The demo is the main job: its self-test runs three real islands and ends well, and says why when it does not."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_ports

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(tmp_path):
    """Runs `archipel demo` with arguments; its completed process."""

    def run(*arguments):
        command = [sys.executable, "-m", "node", "demo", "--folder", str(tmp_path / "demo"), *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    return run


def test_the_self_test_carries_a_bulletin_across_three_islands(demo):
    done = demo("--selftest", "--speed", "12", "--port", str(free_ports(3)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "text, signature and id are identical" in done.stdout
    packets, size, air = re.search(r"(\d+) packets, (\d+) bytes, ([\d.]+) s of air", done.stdout).groups()
    assert int(packets) >= 2 and int(size) > 200 and float(air) > 1


def test_a_taken_port_is_said_clearly(demo):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = demo("--selftest", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "Another program uses that port" in done.stderr
