"""How far long work is: a bar with the time left for who watches a terminal, a line now and then in a log."""

import os
import pty
import subprocess
import sys

import pytest

from node.cli import progress
from node.cli.progress import Progress
from tests.cli.islands import ROOT

pytestmark = pytest.mark.once

WORK = ("from node.cli.progress import Progress\n"
        "with Progress() as progress:\n"
        "    for name in ('un.bundle', 'deux.bundle'):\n"
        "        tell = progress.begin(name, 1000)\n"
        "        for done in range(0, 900, 100): tell(done)\n"
        "print('fini')\n")


@pytest.mark.process
def test_a_terminal_gets_a_bar_for_each_piece_of_work_that_ends_full():
    leader, terminal = pty.openpty()
    done = subprocess.run([sys.executable, "-c", WORK], cwd=ROOT, stderr=terminal, stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"COLUMNS": "80", "TERM": "xterm"})
    os.close(terminal)
    drawn = os.read(leader, 65_536).decode()
    os.close(leader)
    assert done.stdout == "fini\n", "programs read what was asked for and nothing else"
    assert drawn.count("un.bundle") > 2 and drawn.count("100%") >= 2 and "#" in drawn


def test_a_log_gets_a_line_only_when_it_takes_long(capsys, watch, monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", watch)
    with Progress() as told:
        tell = told.begin("île.backup", 200)
        tell(50)
        watch.now += progress.LINE_S
        tell(100)
        tell(110)
        watch.now += progress.LINE_S
        tell(300)
    assert capsys.readouterr() == ("", "île.backup: 50 %\nîle.backup: 100 %\n")


def test_work_whose_size_nobody_knows_says_nothing(capsys, watch, monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", watch)
    with Progress() as told:
        tell = told.begin("x", 0)
        watch.now += 60
        tell(10)
    assert capsys.readouterr() == ("", "")


@pytest.mark.process
def test_a_bar_that_is_broken_off_stays_where_it_was():
    leader, terminal = pty.openpty()
    broken = WORK.replace("print('fini')", "").replace("tell(done)", "tell(done); 1 / (400 - done)")
    done = subprocess.run([sys.executable, "-c", broken], cwd=ROOT, stderr=terminal)
    os.close(terminal)
    drawn = os.read(leader, 65_536).decode()
    os.close(leader)
    assert done.returncode == 1 and "100%" not in drawn and "ZeroDivisionError" in drawn
