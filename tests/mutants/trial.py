"""Tests run in the copy of the tree, each time in a fork that knows none of our modules yet: libraries are imported once.

`python -m tests.mutants.trial` there takes a job a line, `{"tests": [...], "plain": bool, "limit_s": seconds}`, and
answers `{"code": what pytest said, "noticed": the test that failed, "took_s": seconds of processor}`.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARIES = ("babel.dates", "click", "cryptography.hazmat.primitives.ciphers.aead", "feedparser", "flask", "hypothesis",
             "hypothesis.strategies", "icalendar", "mf2py", "paho.mqtt.client", "PIL.Image", "segno", "serial", "tinydb",
             "tomlkit", "zeroconf")
HUNG_S = 180  # of the clock, for a test that waits for what never comes
MOST_S = 900  # of processor time, for all tests of a fault; the kernel ends what no signal reaches
HUNG, FINE = 99, 0


def environment_of(tree: Path) -> dict[str, str]:
    """With which a program finds our modules in the copy, and those that it starts do."""
    return {**os.environ, "PYTHONPATH": str(tree), "EFFORT": "1"}


class Trials:
    """The other side: a process in the copy."""

    def __init__(self, tree: Path):
        self._process = subprocess.Popen([sys.executable, "-m", "tests.mutants.trial"], cwd=tree, env=environment_of(tree),
                                         text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, tests, plain=False, limit_s=60.0):
        """`plain`: without a fault, when what is compiled may be kept. `limit_s`: processor time for one test."""
        self._process.stdin.write(json.dumps({"tests": list(tests), "plain": plain, "limit_s": limit_s}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Watcher:
    """Tells the first test that failed, at once, and ends one that never would."""

    def __init__(self, pipe, limit_s):
        self._pipe, self._limit_s, self._told = pipe, limit_s, False
        self._now = "what is read before any test"
        signal.signal(signal.SIGVTALRM, self._end)
        signal.signal(signal.SIGALRM, self._end)
        self._time()

    def _end(self, *_):
        self._tell(f"{self._now} (it hung)")
        os._exit(HUNG)

    def _tell(self, test):
        if not self._told:
            os.write(self._pipe, test.encode()[:2000])
            self._told = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self._now = item.nodeid
        self._time()
        return (yield)

    def _time(self):
        signal.setitimer(signal.ITIMER_VIRTUAL, self._limit_s)
        signal.alarm(HUNG_S)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self._tell(report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self._tell(f"{report.nodeid} (it cannot be read)")


def _in_the_fork(job, pipe):
    os.setpgid(0, 0)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(silence, stream)
    sys.dont_write_bytecode = not job["plain"]
    if not job["plain"]:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))
    options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--tb=no", "--no-header",
               "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    os._exit(pytest.main([*options, *job["tests"]], plugins=[Watcher(pipe, job["limit_s"])]))


def _tried(job):
    reading, writing = os.pipe()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if not child:
        _in_the_fork(job, writing)
    os.close(writing)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(ProcessLookupError):  # what its tests started and left behind
        os.killpg(child, signal.SIGKILL)
    with os.fdopen(reading) as told:
        noticed = told.read(2000)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"code": code, "noticed": noticed, "took_s": round(took_s, 2)}


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    sys.argv = ["pytest"]  # as there, whoever reads it
    for line in sys.stdin:
        print(json.dumps(_tried(json.loads(line))), flush=True)
