"""`archipel run` without a web server before it: who stalls mutes nobody, no address is written, no link holds it up."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from node.daemon import rpc
from node.daemon.keyfiles import KeyFolder
from node.store.journalstore import JournalStore
from tests.ports import free_ports
from tests.radio.hostile_server import HostileServer, silent
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PAGE = b"GET / HTTP/1.1\r\nHost: archipel.lan\r\n\r\n"
STALLED = (b"GET / HTTP/1.1\r\nHost: arch", b"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", b"",
           b"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")


class Island:
    """An island in its own process, its port, its folder and what it has said so far."""

    def __init__(self, folder, more=""):
        self.port, self.folder, self._log = free_ports(), folder / "data", folder / "log"
        (folder / "archipel.toml").write_text(
            f'[node]\ndata = "{self.folder}"\nlanguage = "en"\n[portal]\nlisten = "127.0.0.1:{self.port}"\n'
            f'[radio]\nconnect = "none"\n[lan]\ndiscover = false\n{more}')
        if not self.folder.exists():
            KeyFolder(self.folder).found("Belleville", "Île")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "node", "run", "--config", str(folder / "archipel.toml")], cwd=ROOT, stdout=log,
                stderr=log, env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "default"})
        until(self.answers)

    def answers(self):
        assert self.process.poll() is None, self.said
        with contextlib.suppress(rpc.NotRunning, OSError):
            return rpc.ask(self.folder, "status") and self.ask(PAGE)
        return None

    @property
    def said(self):
        return self._log.read_text()

    def call(self, words=b""):
        line = socket.create_connection(("127.0.0.1", self.port), 60)
        line.sendall(words)
        return line

    def ask(self, words):
        with self.call(words) as line:
            return b"".join(iter(lambda: line.recv(65_536), b""))

    def stop(self):
        """Tell it to stop, and wait."""
        self.process.terminate()
        self.process.wait(90)


@pytest.fixture
def start(tmp_path):
    """Starts one island with these lines more in its settings."""
    made = []

    def _start(more=""):
        made.append(Island(tmp_path, more))
        return made[-1]

    yield _start
    for island in made:
        if island.process.poll() is None:
            island.process.kill()
            island.process.wait(60)


def test_forty_that_stall_and_rubbish_keep_nobody_from_a_page_and_no_address_is_written(start, tmp_path):
    island = start()
    with contextlib.ExitStack() as lines:
        for number in range(40):
            lines.enter_context(island.call(STALLED[number % len(STALLED)]))
        for rubbish in (b"zz\r\n", b"5\r\nhello!\r\n", b"\xff\xfe\r\n"):
            answer = island.ask(b"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + rubbish)
            assert answer.startswith(b"HTTP/1.1 400 ") and b"no request that a browser makes" in answer
        assert island.ask(b"GET / HTTP/1.1\r\nbroken\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        assert island.ask(PAGE).startswith(b"HTTP/1.1 200 ")
    assert rpc.ask(island.folder, "status")["rights"]["vouches"], "a founder may vouch"
    island.stop()
    assert "No web server stands before it" in island.said and "keeps others out" in island.said
    elsewhere = island.said.replace(f"127.0.0.1:{island.port}/", "")  # where the portal is
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|Traceback|Warning", elsewhere), island.said
    assert not list(tmp_path.glob("archipel-*")), "the portal's own folder"


def test_a_restored_island_whose_last_step_was_cut_short_starts_as_itself_and_founds_no_other(start, tmp_path):
    kept = tmp_path / "data/.restored"
    charter = KeyFolder(kept).found("Belleville", "Canal")
    island = start()
    assert KeyFolder(island.folder).charter().set_id == charter.set_id and not kept.exists()
    island.stop()
    assert "with a set of its own" not in island.said


def test_no_visitor_says_where_links_begin(start):
    island = start()
    for name in ("SCRIPT_NAME", "Script-Name", "X-Forwarded-Prefix", "X-Forwarded-Host"):
        page = island.ask(f"GET /evil/agenda HTTP/1.1\r\nHost: archipel.lan\r\n{name}: /evil\r\n\r\n".encode())
        assert page.startswith(b"HTTP/1.1 404 ") and b'href="/bulletins"' in page
    island.stop()


def test_a_link_that_hangs_when_it_is_closed_costs_no_last_note(start):
    with HostileServer(silent) as broker:  # takes the call, and never shakes hands
        island = start(f'[mqtt]\nbroker = "mqtts://127.0.0.1:{broker.port}"\n')
        until(lambda: broker.calls)
        called_at = time.time()  # what was noted at the start is older
        until(lambda: time.time() > called_at + 3)
        island.stop()
    assert "Traceback" not in island.said
    store = JournalStore(island.folder)
    try:
        assert store.note("clock")["seen"] > called_at + 2
    finally:
        store.close()


def test_a_worker_that_is_killed_is_followed_by_another(start):
    island = start()
    worker = worker_of(island)
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker_of(island) not in (None, worker) and island.answers())


def worker_of(island):
    """The process id of gunicorn's worker."""
    children = Path(f"/proc/{island.process.pid}/task/{island.process.pid}/children").read_text().split()
    return int(children[0]) if children else None


def test_a_keeper_gives_the_island_another_name_on_its_pages_and_it_starts_anew_by_itself(start, tmp_path):
    island = start()
    config = ["--config", str(tmp_path / "archipel.toml")]
    subprocess.run([sys.executable, "-m", "node", "keeper", *config, "lea"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL, input=b"soupe et pain du canal\n")
    keeper = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    address = f"http://127.0.0.1:{island.port}/keeper"

    def send(path, **fields):
        return keeper.open(f"{address}/{path}?lang=en", urllib.parse.urlencode(fields).encode(), 60).read().decode()

    desk = send("login", name="lea", password="soupe et pain du canal")
    csrf = re.search(r'name="csrf" value="(\w+)"', desk)[1]
    assert "The island starts anew with them now" in send("settings/name", csrf=csrf, name="Place des Fêtes")
    until(lambda: island.answers() and "Place des Fêtes</bdi>".encode() in island.ask(PAGE))
    assert rpc.ask(island.folder, "status")["name"] == "Place des Fêtes"
    island.stop()
    assert "Traceback" not in island.said
