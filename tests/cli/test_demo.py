"""The demo is the main job: its self-test runs three real islands and ends well, and says why when it does not."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
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


@pytest.mark.once
def test_started_twice_at_once_one_runs_with_boards_that_live_in_the_language_of_who_starts_it(tmp_path):
    port, begun = free_ports(3), {}
    with ExitStack() as opened:
        for name in ("one", "other"):
            command = [sys.executable, "-m", "node", "demo", "--folder", str(tmp_path / name), "--port", str(port)]
            begun[name] = opened.enter_context(subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "LANG": "fr_FR.UTF-8"}))
        try:
            first_lines = {name: demo.stdout.readline() for name, demo in begun.items()}
            ended = [name for name, line in first_lines.items() if "tourne déjà" in line]
            assert len(ended) == 1 and begun.pop(ended[0]).wait(60) == 1, first_lines
            (running,) = begun.values()
            said = "".join(iter(running.stdout.readline, "Ctrl-C arrête tout.\n"))
            assert "Île C" in said
            for number, words in enumerate(("Soupe pour tout le monde", "fontaine de la place", "réparer un vélo")):
                with urllib.request.urlopen(f"http://127.0.0.1:{port + number}/bulletins", timeout=60) as answer:
                    page = answer.read().decode()
                assert words in page and '<html lang="fr"' in page
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                assert "Thé sur la place" in answer.read().decode()
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0
        finally:
            for demo in begun.values():
                demo.terminate()
