"""How the box takes what its island orders: once, of a closed list, by a program that hands root nothing but a number."""

import json
import os
import re
import subprocess
import sys

import pytest

from archipel_image.sources import OVERLAY, PROGRAMS, PROJECT, program
from node.daemon import care as real_care
from node.daemon.orders import MAX_ORDER_BYTES, ORDERS_VARIABLE, WORDS, Orders
from tests.image.imageparts import UNITS

ORDERED = [("restart", {"what": "island"}, "restart archipel-island.service"), ("restart", {"what": "box"}, "reboot"),
           ("update", {}, "start archipel-update.service archipel-system.service"),
           ("wipe", {}, "start archipel-wipe.service"),
           ("backup", {}, "start archipel-carry.service"), ("wifi", {}, "restart archipel-wifi.service"),
           ("card", {}, "start archipel-card.service")]


@pytest.fixture
def orders(tmp_path):
    return Orders(tmp_path, frozenset(WORDS), lambda: 0.0)


def take(tmp_path):
    """What the unit does, its two programs one after the other: what systemctl is told."""
    told, systemctl = tmp_path / "told", tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    systemctl.chmod(0o755)
    told.write_text("")
    status = subprocess.run([sys.executable, PROGRAMS / "take_order.py", str(tmp_path / "orders")],
                            env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=False).returncode
    subprocess.run([PROGRAMS / "obey"], check=True, env={
        **os.environ, "EXIT_STATUS": str(status), "SYSTEMCTL": str(systemctl), "STICK": str(tmp_path / "stick")})
    return told.read_text().removesuffix("\n").removeprefix("--no-block ")


@pytest.mark.process
@pytest.mark.parametrize(("word", "fields", "step"), ORDERED)
def test_what_the_island_orders_the_box_does_once(orders, tmp_path, word, fields, step):
    (tmp_path / "stick").touch()
    orders.place(word, **fields)
    assert take(tmp_path) == step
    assert not [*(tmp_path / "orders").iterdir()]
    assert take(tmp_path) == ""


def test_every_order_there_is_leads_to_a_step_and_the_island_is_told_of_all():
    steps = program("take_order").STEPS
    assert {name.split()[0] for name in steps} == set(WORDS) == {word for word, _, _ in ORDERED}
    assert len(steps) == len(ORDERED)
    assert len({*steps.values(), program("take_order").NONE}) == len(steps) + 1
    unit = (UNITS / "archipel-orders.service").read_text()
    expected = re.search(r"(?m)^SuccessExitStatus=(.*)$", unit)[1].split()
    assert set(map(int, expected)) == {*steps.values(), program("take_order").NONE}
    known = re.findall(r"(?m)^    (\d+)\)", (PROGRAMS / "obey").read_text())
    assert set(map(int, known)) == set(steps.values())
    island = (UNITS / "archipel-island.service").read_text()
    assert set(re.search(rf"(?m)^Environment={ORDERS_VARIABLE}=(.*)$", island)[1].split(":")) == set(WORDS)


def test_the_unit_waits_where_the_island_leaves_its_orders_and_may_write_nowhere_else():
    assert "PathExistsGlob=/data/archipel/orders/*.json" in (UNITS / "archipel-orders.path").read_text()
    opens = (UNITS / "archipel-orders.service.d/20-opens.conf").read_text()
    assert opens.split() == ["[Service]", "ReadWritePaths=-/data/archipel/orders"]
    wanted = OVERLAY / "etc/systemd/system/multi-user.target.wants/archipel-orders.path"
    assert os.readlink(wanted) == "/usr/lib/systemd/system/archipel-orders.path"


@pytest.mark.process
@pytest.mark.parametrize("word", ["update", "backup"])
def test_a_stick_that_is_not_there_is_not_waited_for(orders, tmp_path, word):
    orders.place(word)
    assert take(tmp_path) == ""


def test_of_several_orders_the_wipe_comes_first_and_the_rest_waits(orders, tmp_path):
    look = program("take_order")
    orders.place("restart", what="box")
    orders.place("wipe")
    assert look.main(tmp_path / "orders") == look.STEPS["wipe"]
    assert look.main(tmp_path / "orders") == look.STEPS["restart box"]
    assert look.main(tmp_path / "orders") == look.NONE


def test_an_order_that_is_taken_stays_gone_after_a_power_cut(orders, tmp_path, monkeypatch):
    look, synced = program("take_order"), []
    orders.place("wipe")
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(
        (os.readlink(f"/proc/self/fd/{descriptor}"), os.listdir(descriptor))))
    assert look.main(tmp_path / "orders") == look.STEPS["wipe"]
    assert (str(tmp_path / "orders"), []) in synced, "the folder is on the card as it is without it"


@pytest.mark.parametrize("content", [
    b"", b"{}", b"wipe", b'{"do": "reboot"}', b'{"do": "restart"}', b'{"do": "restart", "what": "box; rm -rf /"}',
    b'{"do": "wipe"}' + b" " * MAX_ORDER_BYTES, b"\xff" * 100, json.dumps({"do": "wipe"}).encode()])
def test_what_is_no_order_of_this_name_is_removed_and_not_done(tmp_path, content):
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/restart.json").write_bytes(content)
    (tmp_path / "orders/another.json").write_bytes(content)
    look = program("take_order")
    assert look.main(tmp_path / "orders") == look.NONE
    assert not [*(tmp_path / "orders").iterdir()]


def test_links_pipes_and_folders_are_no_order_and_go(tmp_path):
    folder, secret = tmp_path / "orders", tmp_path / "secret"
    folder.mkdir()
    secret.write_text('{"do": "wipe"}')
    (folder / "wipe.json").symlink_to(secret)
    os.mkfifo(folder / "update.json")
    (folder / "restart.json/inner").mkdir(parents=True)
    (folder / "more.json").symlink_to(tmp_path)
    look = program("take_order")
    assert look.main(folder) == look.NONE
    assert not [*folder.iterdir()] and secret.exists()


def test_an_order_that_cannot_be_removed_is_not_done(orders, tmp_path, monkeypatch):
    orders.place("wipe")

    def refuse(path, missing_ok=False):
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(program("take_order").Path, "unlink", refuse)
    with pytest.raises(PermissionError):
        program("take_order").main(tmp_path / "orders")


# the backup on the stick


@pytest.fixture
def carry(tmp_path):
    """Runs the image's script: (what is on the stick, what is told to the island)."""
    (tmp_path / "backup").mkdir()
    (tmp_path / "stick").mkdir()
    (tmp_path / "backup/archipel-canal-2026-11-30.backup").write_bytes(b"sealed" * 5_000)
    (tmp_path / "backup/archipel-canal-2026-11-30.backup.part").write_bytes(b"half")

    def run(**environment):
        subprocess.run([PROGRAMS / "carry", str(tmp_path / "backup"), str(tmp_path / "stick")], check=True,
                       stderr=subprocess.DEVNULL, env={**os.environ, **environment})
        told = {path.name for path in (tmp_path / "backup").iterdir()} & {"carried", "not-carried"}
        return {path.name: path.read_bytes() for path in (tmp_path / "stick").iterdir() if path.is_file()}, told

    return run


@pytest.mark.process
def test_a_backup_goes_onto_the_stick_whole_and_replaces_an_older_one(tmp_path, carry):
    there = tmp_path / "stick/archipel-canal-2026-11-30.backup"
    there.write_bytes(b"this morning's")
    assert carry() == ({there.name: b"sealed" * 5_000}, {"carried"})
    assert there.stat().st_mode & 0o444 == 0o444


@pytest.mark.process
@pytest.mark.parametrize("program", ["cp", "sync", "cmp", "mv"])
def test_a_stick_that_fails_at_any_step_keeps_what_it_had_and_that_is_told(tmp_path, carry, program):
    there = tmp_path / "stick/archipel-canal-2026-11-30.backup"
    there.write_bytes(b"this morning's")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / program).write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / program).chmod(0o755)
    assert carry(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}") == ({there.name: b"this morning's"}, {"not-carried"})


@pytest.mark.process
def test_without_a_backup_nothing_is_done(tmp_path, carry):
    for path in (tmp_path / "backup").iterdir():
        path.unlink()
    assert carry() == ({}, set())


def test_the_names_that_island_and_box_know_each_other_by_are_the_same():
    script = (PROGRAMS / "carry").read_text()
    for name in (real_care.CARRIED, real_care.NOT_CARRIED):
        assert f'"$from/{name}"' in script
    assert f"/data/archipel/{real_care.BACKUP_FOLDER}}}" in script and f"*{real_care.BACKUP_ENDING};" in script
    opens = (UNITS / "archipel-carry.service.d/20-opens.conf").read_text()
    assert opens.split() == ["[Service]", "ReadWritePaths=/run/stick", f"-/data/archipel/{real_care.BACKUP_FOLDER}"]
    limit = int(re.search(r"(?m)^TimeoutStartSec=(\d+)min$", (UNITS / "archipel-carry.service").read_text())[1])
    assert limit * 60 == real_care.CARRY_S
    island = (UNITS / "archipel-island.service").read_text()
    stick = re.search(r"STICK:-(\S+)}", (PROGRAMS / "obey").read_text())[1]
    assert f"{real_care.STICK_VARIABLE}={stick} {real_care.UPDATES_VARIABLE}=/data/app" in island
