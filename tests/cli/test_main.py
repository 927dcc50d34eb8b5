"""The command line as a keeper types it, against a real island in its own process."""

import json
import os
import re
import socket
import stat
import subprocess
import sys

import pytest

from node.cli.main import main
from node.cli.options import refusal
from node.daemon.keyfiles import KeyFolder
from node.model.clock import SystemClock, minute_of
from node.model.keys import Charter, SigningKey
from node.store.disk import Disk
from node.transfer.invitation import invitation_bytes, offer, prepare, to_text
from tests.cli.islands import PATIENCE_S, ROOT, archipel, running, wait_for, write_config
from tests.waiting import until

pytestmark = pytest.mark.once


@pytest.fixture
def config(tmp_path):
    """A settings file for an island that is not made yet."""
    return write_config(tmp_path, "Place des Fêtes")


@pytest.fixture
def island(config):
    """A real `archipel run` on `config`; its settings file."""
    with running(config) as settings:
        yield settings


@pytest.fixture
def fast_island(config):
    """The same, with two minutes in a second."""
    with running(config, "--speed", "120") as settings:
        yield settings


def test_the_page_of_the_command_line_has_every_command():
    page = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
    assert [name for name in main.commands if f"`archipel {name}`" not in page] == [] and len(main.commands) > 25


LOADED = """
import gc, sys
looked = []
gc.callbacks.append(lambda phase, about: looked.append(phase))
from node.__main__ import start
sys.argv = ["archipel", "--version"]
try:
    start()
finally:
    print(len(looked), gc.isenabled(), sorted({"flask", "gunicorn", "web", "zeroconf"} & set(sys.modules)))
"""


def test_a_command_waits_neither_for_the_portal_nor_for_a_look_at_what_was_loaded():
    told = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    looked, enabled, others = told.splitlines()[-1].split(maxsplit=2)
    assert int(looked) < 10 and (enabled, others) == ("True", "[]"), told


def test_a_keeper_posts_lists_and_asks_for_the_status(island):
    code, output = archipel("post", "Bonjour à toutes et à tous", "--config", island)
    assert code == 0 and "1 packet" in output and "To correct or withdraw it:" in output
    code, output = archipel("post", "Venez", "--title", "Fête", "--start", "2030-01-01 18:00", "--config", island)
    assert code == 1 and "Error: Start: This is more than 400 days ahead." in output
    for empty in ("", "   "):
        code, output = archipel("post", empty, "--config", island)
        assert code == 1 and output == "Error: Text: Please write something here.\n"
    code, output = archipel("post", "--urgent", "--config", island, typed="Texte venu d'un tube\n")
    assert code == 0, output
    code, output = archipel("list", "--config", island)
    assert "Bonjour à toutes et à tous" in output and "! " in output
    code, output = archipel("status", "--config", island)
    assert "Place des Fêtes: 3 records" in output and "keeps posts" in output
    code, output = archipel("status", "--json", "--config", island)
    assert json.loads(output)["records"] == 3
    code, output = archipel("doctor", "--config", island)
    assert code == 0 and "the island runs" in output


def test_keys_are_vouched_for_listed_and_revoked(island, tmp_path):
    here, public = ("--config", island), SigningKey(b"\7" * 32).public.hex()
    code, output = archipel("vouch", public, "--name", "Nadia", "--keeper", "--days", "300", *here)
    assert code == 0 and "Vouched for Nadia, until" in output
    line = next(line for line in archipel("keys", *here)[1].splitlines() if "Nadia" in line)
    assert line.startswith("  ") and "may vouch; until" in line and "vouched for by Place des Fêtes" in line
    for who in ("nadia", line.split()[0], public):
        assert "Vouched for Nadia" in archipel("vouch", who, *here)[1], "a key that is known needs no name"
    told = {key["name"]: key for key in json.loads(archipel("keys", "--json", *here)[1])}
    assert told["Nadia"]["role"] == "keeper" and told["Place des Fêtes"]["rights"]["vouch"] is None
    code, output = archipel("revoke", "Nadia", *here, typed="n\n")
    assert code == 1 and "ends for ever" in output
    assert archipel("revoke", "Nadia", "--yes", *here)[0] == 0
    assert "REVOKED since" in next(line for line in archipel("keys", *here)[1].splitlines() if "Nadia" in line)
    assert "never counts again" in archipel("vouch", "Nadia", *here)[1]
    assert "64 digits" in archipel("vouch", "nonsense", "--name", "x", *here)[1]
    assert "No key is called zz" in archipel("revoke", "zz", *here)[1]


def test_a_key_kept_as_words_lets_islands_in_and_is_in_no_file(island, tmp_path):
    here = "--config", island
    code, output = archipel("newkey", "--words")
    words = re.findall(r"\d+\. (\w+)", output)
    public = re.search(r"[0-9a-f]{64}", output).group()
    assert code == 0 and len(words) == 24
    assert archipel("vouch", public, "--name", "Clé de secours", "--keeper", *here)[0] == 0
    code, output = archipel("invite", "--no-qr", "--words", *here, typed=" ".join(words) + "\n")
    assert code == 0 and len(output) > 300
    assert "Word 1" in archipel("invite", "--words", *here, typed=" ".join(["xylofon", *words[1:]]) + "\n")[1]
    assert archipel("newkey")[0] == archipel("newkey", tmp_path / "x", "--words")[0] == 2


def test_what_an_invitation_signs_is_kept_at_once_and_its_file_is_for_its_user_only(island, tmp_path):
    out = tmp_path / "invitation.txt"
    assert archipel("invite", "--out", out, "--config", island)[0] == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "an invitation that nobody has used yet" in archipel("keys", "--config", island)[1]
    code, output = archipel("invite", "--out", tmp_path / "nowhere" / "x", "--config", island)
    assert code == 1 and "cannot be written" in output


def test_an_island_that_may_not_invite_says_who_may_also_while_it_rests(island, tmp_path):
    invitation, other = tmp_path / "invitation.txt", tmp_path / "other"
    archipel("invite", "--out", invitation, "--config", island)
    other.mkdir()
    resting = write_config(other, "Café")
    archipel("join", invitation, "--config", resting)
    code, output = archipel("invite", "--config", resting)
    assert code == 1 and "may not let others in" in output


def test_who_joins_by_a_worthless_invitation_reads_it_at_once(tmp_path):
    founder, keeper = (SigningKey(bytes([number]) * 32) for number in (1, 2))
    charter = Charter.found("Belleville", [founder.public], bytes(32))
    minute = minute_of(SystemClock().now())
    worthless = prepare(charter, keeper, b"\3" * 32, offer(keeper.key_id, b"\3" * 32, minute, 99), [])
    (tmp_path / "invitation.txt").write_text(to_text(invitation_bytes(worthless)))
    code, output = archipel("join", tmp_path / "invitation.txt", "--config", write_config(tmp_path, "Café"))
    assert code == 0 and "who let it in may not do that" in output and "founder’s key" in output


def test_a_founder_renews_the_secret_and_the_island_starts_anew_with_it_by_itself(fast_island):
    island = fast_island
    folder = island.parent / "data"
    before = KeyFolder(folder).charter()
    for number, name in enumerate(("Café", "Parti"), 1):
        assert archipel("vouch", SigningKey(bytes([number]) * 32).public.hex(), "--name", name, "--config", island)[0] == 0
    assert archipel("revoke", "Parti", "--yes", "--config", island)[0] == 0
    archipel("post", "avant", "--config", island)
    code, output = archipel("renew", "--hours", "0", "--config", island, typed="n\n")
    assert code and KeyFolder(folder).charter() == before
    assert "new secret: Café, Place des Fêtes." in output and "Left out, and reading nothing from then on: Parti." in output
    code, output = archipel("renew", "--hours", "0", "--yes", "--config", island)
    assert code == 0, output
    until(lambda: KeyFolder(folder).charter().secret != before.secret)

    def renewed():
        try:
            return json.loads(archipel("status", "--json", "--config", island)[1])["secret"].get("since")
        except ValueError:  # it is just starting anew
            return None

    until(renewed)
    until(lambda: "avant" in archipel("list", "--config", island)[1])
    assert KeyFolder(folder).charter().set_id == before.set_id


def test_only_a_founders_key_renews(island, tmp_path):
    archipel("newkey", tmp_path / "nadia.key", typed="trois chats\n")
    code, output = archipel("renew", "--key", tmp_path / "nadia.key", "--config", island, typed="trois chats\n")
    assert code == 1 and "Only a founder’s key" in output


def test_a_second_island_joins_by_invitation_and_a_dead_one_is_restored(island, tmp_path):
    archipel("post", "à garder", "--config", island)
    invitation, backup = tmp_path / "invitation.txt", tmp_path / "island.backup"
    code, output = archipel("invite", "--out", invitation, "--config", island)
    assert code == 0 and "Good for one island" in output
    other = tmp_path / "other"
    other.mkdir()
    code, output = archipel("join", invitation, "--config", write_config(other, "Café"))
    assert code == 0 and "Joined “Place des Fêtes”" in output
    assert "was in that set already" in archipel("join", invitation, "--config", other / "archipel.toml")[1]
    third = tmp_path / "third"
    third.mkdir()
    assert archipel("init", "--config", write_config(third, "Ailleurs"))[0] == 0
    assert "belongs to a set already" in archipel("join", invitation, "--config", third / "archipel.toml")[1]

    assert json.loads(archipel("status", "--json", "--config", island)[1])["backup"]["last"] is None
    assert archipel("backup", backup, "--config", island, typed="cheval pile agrafe\n")[0] == 0
    assert json.loads(archipel("status", "--json", "--config", island)[1])["backup"]["last"] > 0
    new = tmp_path / "new"
    new.mkdir()
    replaced = write_config(new, "Place des Fêtes")
    assert "passphrase is wrong" in archipel("restore", backup, "--config", replaced, typed="cheval\n")[1]
    code, output = archipel("restore", backup, "--config", replaced, typed="cheval pile agrafe\n")
    assert code == 0, output
    before = json.loads(archipel("status", "--json", "--config", island)[1])
    process = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(replaced)], cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(new / "data", process)
        assert json.loads(archipel("status", "--json", "--config", replaced)[1])["checksum"] == before["checksum"]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_a_set_is_founded_with_two_keys_kept_elsewhere(config, tmp_path):
    key, here = tmp_path / "founder.key", ("--config", config)
    other = tmp_path / "other.key"
    code, output = archipel("found", "Belleville", "--key", key, *here, typed="mots de passe\n")
    assert code == 2 and "two or three times" in output and not key.exists()
    code, output = archipel("found", "Belleville", "--key", key, "--key", other, *here,
                            typed="mots de passe\nune autre phrase longue\n")
    assert code == 0 and "Founded “Belleville”. The set's fingerprint: " in output, output
    keys = KeyFolder(config.parent / "data")
    assert len(keys.charter().founders) == 2 and keys.island_key().public not in keys.charter().founders
    code, output = archipel("invite", "--key", key, "--no-qr", *here, typed="mots de passe\n")
    assert code == 0 and len(output) > 300
    assert "not the passphrase" in archipel("invite", "--key", key, *here, typed="x\n")[1]


def test_commands_say_what_to_do_when_no_island_runs_or_the_file_is_wrong(config, tmp_path):
    assert "belongs to no set yet" in archipel("list", "--config", config)[1]
    KeyFolder(config.parent / "data").found("Belleville")
    assert "Start it: archipel run" in archipel("list", "--config", config)[1]
    bad = tmp_path / "bad.toml"
    bad.write_text("[node]\nlanguage = 3\n")
    code, output = archipel("status", "--config", bad)
    assert code == 1 and "line 2" in output and "archipel run" in output
    code, output = archipel("status", "--config", tmp_path / "nowhere.toml")
    assert code == 1 and "cannot be read" in output
    bad.write_text('[node]\ndata = "~nosuchuser/x"\n')
    assert "in the right folder" in archipel("wipe", "--yes", "--config", bad)[1]


def test_init_makes_an_island_once(config):
    assert "The set's fingerprint: " in archipel("init", "--config", config)[1]
    assert "nothing was changed" in archipel("init", "--config", config)[1]


def test_an_island_that_is_named_once_keeps_its_name_unless_the_settings_say_another(config):
    unnamed = config.read_text().replace('name = "Place des Fêtes"\n', "")
    config.write_text(unnamed)
    assert archipel("init", "--name", "Café du canal", "--set", "Belleville", "--config", config)[0] == 0
    with running(config):
        assert json.loads(archipel("status", "--json", "--config", config)[1])["name"] == "Café du canal"
    config.write_text(unnamed.replace("[node]", '[node]\nname = "Autre"'))
    with running(config):
        assert json.loads(archipel("status", "--json", "--config", config)[1])["name"] == "Autre"
    (config.parent / "data/keys/papers").write_text("!")
    assert KeyFolder(config.parent / "data").given_name() == ""


def test_a_port_that_is_taken_is_said_before_anything_starts(config, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f'[portal]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"\n'
        config.write_text(config.read_text().split("[portal]")[0] + listen)
        code, output = archipel("run", "--config", config)
        assert code == 1 and "Another program uses that port" in output
        assert archipel("doctor", "--config", config)[0] == 1


def test_a_problem_that_only_a_later_island_knows_is_told_in_general_words():
    known, new = ({"field": "title", "code": code, "amount": 3} for code in ("too-long", "too-loud"))
    assert refusal("draft", {"problems": [known, new]}).splitlines() == [
        "Title: Please shorten this by about 3 characters.", "Title: This cannot be posted as it is. Please change it."]


def test_a_folder_in_use_is_said_with_the_process_that_has_it(config):
    archipel("init", "--config", config)
    lock = Disk().lock(config.parent / "data/lock")
    try:
        code, output = archipel("run", "--config", config)
        assert code == 1 and f"process {os.getpid()}:" in output
        (config.parent / "data/lock").write_text("")
        code, output = archipel("run", "--config", config)
        assert code == 1 and "another island that runs" in output
    finally:
        lock.release()


def test_an_island_that_runs_is_not_wiped(island):
    code, said = archipel("wipe", "--config", island, "--yes")
    assert code == 1 and "Stop it first" in said
    assert (island.parent / "data/keys/island.key").exists()


def test_nothing_is_left_of_an_island_that_was_wiped(config):
    archipel("init", "--config", config)
    assert archipel("wipe", "--config", config, typed="n\n")[0] == 1
    assert (config.parent / "data/keys/island.key").exists()
    code, said = archipel("wipe", "--config", config, typed="y\n")
    assert code == 0 and "Nothing is left" in said
    assert not list((config.parent / "data").iterdir())


def test_the_code_that_a_stick_needs_is_told_and_destroys_nothing(config):
    assert archipel("init", "--config", config)[0] == 0
    code, said = archipel("wipe", "--code", "--config", config)
    assert code == 0 and re.fullmatch("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", said.strip())
    assert archipel("wipe", "--code", "--config", config)[1] == said
