"""The first start of a real `archipel run`: a set is founded on its pages, and of the founders' keys nothing is left."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.test import encode_multipart

from node.board.keywords import fingerprint_words, seed_of_words
from node.daemon.keyfiles import KeyFolder, keeper_key_in, read_key_file
from node.model.keys import SigningKey
from tests.cli.test_main import PATIENCE_S, ROOT, archipel, wait_for, write_config
from tests.daemon.starter import Starter
from tests.waiting import until

pytestmark = pytest.mark.process
CODE = re.compile(r"with the code (\S+)")


class Web:
    """A browser that keeps cookies; answers as Flask's test client has them."""

    def __init__(self, config):
        self._base = "http://" + re.search(r"127\.0\.0\.1:\d+", config.read_text())[0]
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path, headers=(), follow_redirects=True):
        return self._ask(urllib.request.Request(self._base + path, headers=self._plain(headers)))

    def post(self, path, data, headers=(), follow_redirects=True, content_type=""):
        boundary, body = encode_multipart(data)
        request = urllib.request.Request(self._base + path, body, self._plain(headers))
        request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        return self._ask(request)

    @staticmethod
    def _plain(headers):
        return {name: value for name, value in dict(headers).items() if name != "Host"}

    def _ask(self, request):
        try:
            answer = self._opener.open(request, timeout=PATIENCE_S)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            data = answer.read()
            return SimpleNamespace(data=data, status_code=answer.status, headers=answer.headers,
                                   get_data=lambda as_text: data.decode())


@pytest.fixture
def config(tmp_path):
    path = write_config(tmp_path, "Archipel")
    path.write_text(path.read_text().replace('name = "Archipel"\n', 'language = "en"\n'))
    return path


@pytest.fixture
def begun(config):
    """A real `archipel run` on a folder without an island: its process, and what it has said."""
    log = config.parent / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(config)], cwd=ROOT, stdout=file,
                                   stderr=file, env={**os.environ, "LANG": "en"})
    until(lambda: CODE.search(log.read_text()) or process.poll() is not None)
    yield SimpleNamespace(process=process, config=config, said=log.read_text)
    process.terminate()
    process.wait(PATIENCE_S)
    assert "Traceback" not in log.read_text(), log.read_text()


def test_a_set_is_founded_on_pages_and_no_seed_is_left_in_folder_log_or_memory(begun, config):
    data = config.parent / "data"
    assert "belongs to no set yet" in archipel("status", "--config", config)[1]
    starter = Starter(Web(config))
    until(lambda: "/start/code" in starter.go("/"))
    starter.enter(CODE.search(begun.said())[1])
    starter.describe()
    starter.found(2)
    starter.write_keys(2)
    seeds = [seed_of_words(" ".join(words)) for words in starter.papers]
    starter.send("/start/end")
    wait_for(data, begun.process)
    charter = KeyFolder(data).charter()
    assert set(charter.founders) == {SigningKey(seed).public for seed in seeds}
    told = json.loads(archipel("status", "--json", "--config", config)[1])
    assert (told["name"], told["set"]) == ("Place des Fêtes", {"name": "Belleville", "fingerprint": charter.set_id.hex()})
    assert " ".join(fingerprint_words(charter.set_id, "en")) in archipel("status", "--config", config)[1]
    assert "Samira" in archipel("keeper", "--config", config)[1]
    held = b"".join(map(memory_of, family(begun.process.pid)))
    assert b"Belleville" in held, "memory was read"
    held += b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file()) + begun.said().encode()
    for seed, words in zip(seeds, starter.papers, strict=True):
        assert seed not in held and seed.hex().encode() not in held
        assert " ".join(words[:3]).encode() not in held and " ".join(words[:3]).upper().encode() not in held


def family(pid):
    """A process and those that it began."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def memory_of(pid):
    """All that a process may write in its memory."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            first, last, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if rights.startswith("rw"):
                memory.seek(int(first, 16))
                try:
                    found.append(memory.read(int(last, 16) - int(first, 16)))
                except OSError:
                    continue
    return b"".join(found)


def test_the_command_line_may_found_while_the_page_waits(begun, config):
    code, said = archipel("init", "--set", "Belleville", "--config", config)
    assert code == 0, said
    Starter(Web(config)).client.get("/")
    wait_for(config.parent / "data", begun.process)


def test_a_settings_file_that_names_a_keeper_asks_nothing(config):
    config.write_text(config.read_text() + '[box]\nkeeper = "Samira"\nkeeper_password = "sept lampes au canal"\n')
    process = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(config)], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "LANG": "en"})
    try:
        wait_for(config.parent / "data", process)
    finally:
        process.terminate()
        said = process.communicate(timeout=PATIENCE_S)[0]
    assert "with a set of its own" in said and "The set's fingerprint: " in said


def test_founders_keys_are_shown_as_words_asked_for_and_kept_nowhere(config):
    data = config.parent / "data"
    command = [sys.executable, "-m", "node", "found", "Belleville", "--words", "2", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**os.environ, "LANG": "en", "PYTHONUNBUFFERED": "1"})
    papers, said, asked = [], "", 0
    with process:
        while letter := process.stdout.read(1):
            said += letter
            if found := re.search(r"Word number (\d+): $", said):
                words = re.findall(r"(?m)^ *\d+\. (\w+)$", said)[-24:]
                papers += [words] if words not in papers else []
                asked += 1
                process.stdin.write(("wrong" if asked == 1 else words[int(found[1]) - 1]) + "\n")  # one mistake
                process.stdin.flush()
                said += "\n"
    assert process.returncode == 0, said
    assert "That is not what stands there." in said
    seeds = [seed_of_words(" ".join(words)) for words in papers]
    assert {SigningKey(seed).public for seed in seeds} == set(KeyFolder(data).charter().founders) and len(seeds) == 2
    assert not [seed for seed in seeds for path in data.rglob("*") if path.is_file() and seed in path.read_bytes()]


def test_key_files_are_two_or_three_different_ones(config, tmp_path):
    one, two = tmp_path / "one.key", tmp_path / "two.key"
    for files in ([], [one], [one, one], [one, two, tmp_path / "3", tmp_path / "4"]):
        given = [part for file in files for part in ("--key", file)]
        code, said = archipel("found", "Belleville", *given, "--config", config, typed="colza brouette nuage\n" * 4)
        assert code and "two or three times" in said, (files, said)
        assert not one.exists() and not KeyFolder(config.parent / "data").charter_exists()
    typed = "colza brouette nuage\narrosoir lampe canal\n"
    assert archipel("found", "Belleville", "--key", one, "--key", two, "--config", config, typed=typed)[0] == 0
    keys = {keeper_key_in(read_key_file(file), passphrase).public
            for file, passphrase in zip((one, two), typed.splitlines(), strict=True)}
    assert set(KeyFolder(config.parent / "data").charter().founders) == keys
