"""A real island is flooded from many addresses; a neighbour still posts, a keeper cleans up, and no address is written."""

import http.client
import os
import re
import subprocess
import sys
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from node.board.pace import BOUNDS, HOURLY, Act
from node.daemon.keyfiles import KeyFolder
from tests.cli.test_main import PATIENCE_S, ROOT, archipel, wait_for, write_config
from tests.web.test_clearing_pages import words_of

pytestmark = pytest.mark.process
SHOWN, WAITS, STOPPED, OTHER = "shown", "waits", "stopped", "other"
SAID = {"is on the board and on its way": SHOWN, "So many came of late": WAITS, "from one device": STOPPED}


class Browser:
    """Somebody at an address of loopback, with a cookie once they have one."""

    def __init__(self, port, address):
        self._port, self._address, self._cookie = port, address, ""

    def ask(self, method, path, **form):
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S, source_address=(self._address, 0))
        headers = {"Accept-Language": "en", "Content-Type": "application/x-www-form-urlencoded", "Cookie": self._cookie,
                   "X-Forwarded-For": f"10.1.2.{id(form) % 250}"}
        link.request(method, path, urllib.parse.urlencode(form) if form else None, headers)
        answer = link.getresponse()
        self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        page = answer.read().decode()
        link.close()
        return page

    def post(self, text, **more):
        token = re.search(r'name="token" value="([^"]+)"', self.ask("GET", "/post")).group(1)
        page = self.ask("POST", "/post", token=token, kind="bulletin", text=text, life_days=90, action="publish", **more)
        return next((what for said, what in SAID.items() if said in page), OTHER)


@pytest.fixture
def flooded(tmp_path):
    config = write_config(tmp_path, "Place des Fêtes")
    port = int(re.search(r"127\.0\.0\.1:(\d+)", config.read_text()).group(1))
    KeyFolder(tmp_path / "data").found("Belleville", "Place des Fêtes")
    process = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(config)], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ)
    said = []
    try:
        wait_for(tmp_path / "data", process)
        assert archipel("keeper", "lea", "--config", config, typed="sesame ouvre toi\n" * 2)[0] == 0
        yield lambda address: Browser(port, address)
    finally:
        process.terminate()
        said.append(process.communicate(timeout=PATIENCE_S)[0])
    assert "Traceback" not in said[0]
    for kept in [said[0].encode().replace(b"127.0.0.1", b""), *(path.read_bytes() for path in files(tmp_path / "data"))]:
        assert not re.search(rb"127\.0\.\d+\.\d+|10\.1\.2\.\d", kept)


def files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def test_a_neighbour_posts_and_a_keeper_cleans_up_while_many_addresses_flood(flooded):
    one = flooded("127.0.0.2")
    outcomes = Counter(one.post(f"Montres {number}") for number in range(30))
    assert outcomes == {SHOWN: BOUNDS[Act.POST].most, STOPPED: 30 - BOUNDS[Act.POST].most}
    assert flooded("127.0.1.1").post("Soupe ce soir") == SHOWN
    with ThreadPoolExecutor(4) as many:
        outcomes = Counter(many.map(lambda number: flooded(f"127.0.0.{number}").post(f"Encore {number}"), range(10, 60)))
    assert outcomes[SHOWN] == HOURLY - BOUNDS[Act.POST].most - 1 and outcomes[WAITS] == 50 - outcomes[SHOWN]
    assert flooded("127.0.1.2").post("Un chat gris est perdu") == WAITS

    lea = flooded("127.0.2.1")
    lea.ask("POST", "/keeper/login", name="lea", password="sesame ouvre toi")
    csrf = re.search(r'name="csrf" value="(\w+)"', lea.ask("GET", "/keeper")).group(1)
    assert f"{HOURLY + outcomes[WAITS] + 1} posts" in words_of(lea.ask("GET", "/keeper/posts?pile=own"))
    look = lea.ask("POST", "/keeper/posts/look", csrf=csrf, pile="own", action="clear-all")
    lea.ask("POST", "/keeper/posts/do", csrf=csrf, look=re.search(r'name="look" value="(\w+)"', look).group(1))
    assert f"{outcomes[WAITS] + 1} posts refused · {HOURLY} posts withdrawn" in words_of(lea.ask("GET", "/keeper"))
    assert "There is nothing here" in words_of(flooded("127.0.1.3").ask("GET", "/bulletins"))
    assert flooded("127.0.1.3").post("Un chien noir est perdu") == SHOWN
