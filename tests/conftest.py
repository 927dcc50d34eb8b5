"""A portal on a board of its own, for every test of the pages; a simulated radio, a puppet of one and links to them."""

import functools
import gc
import os
import signal
import sys

import flask
import hypothesis
import jinja2
import pytest
import werkzeug.routing

from node import textpack
from node.board import edit_codes
from node.daemon.thread_guard import VARIABLE
from radio.sim.simnodes import DeviceSettings
from radio.sim.simradio import SimulatedMesh
from tests.effort import EFFORT
from tests.radio.puppet import SPEED, Links, Puppet
from tests.sim.places import Place
from tests.sim.portals import Neighbourhood, portal_settings
from web import create_app

# A machine with much to do is slow, not wrong.
hypothesis.settings.register_profile("calm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("same", parent=hypothesis.settings.get_profile("calm"), derandomize=True)
# The suite tries the same examples each time, so that a change is measured by what it changes; `EFFORT=20` explores.
hypothesis.settings.load_profile("same" if EFFORT == 1 else "calm")


class Compiled(jinja2.BytecodeCache):
    """Templates, kept from one test to the next: a portal compiles them once in its life, the suite a thousand times."""

    def __init__(self):
        self._kept = {}

    def load_bytecode(self, bucket):
        bucket.code = self._kept.get(bucket.key)

    def dump_bytecode(self, bucket):
        self._kept[bucket.key] = bucket.code


flask.Flask.jinja_options = {"bytecode_cache": Compiled()}


class Address(werkzeug.routing.Rule):
    """An address of the portal whose code is kept likewise: two hundred of them are four fifths of making a portal."""

    def _compile_builder(self, append_unknown=True, kept={}):  # noqa: B006
        alike = self.rule, tuple(self._trace), repr(self.defaults), append_unknown  # all that the code depends on
        if alike not in kept:
            kept[alike] = super()._compile_builder(append_unknown)
        return kept[alike]


flask.Flask.url_rule_class = Address
for name in ("_pack", "_unpack"):  # the same few names of islands and posts, a thousand times: coded once
    setattr(textpack, name, functools.cache(getattr(textpack, name)))
edit_codes.SCRYPT_N = 16  # as little as scrypt takes: the suite posts thousands of times, and tries no code by guessing

for name in ("LC_ALL", "LC_MESSAGES"):
    os.environ.pop(name, None)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a background shell's children would not hear Ctrl-C, nor theirs
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ[VARIABLE] = "1"  # in every process that a test starts, too
os.environ["LANG"] = "en_GB.UTF-8"  # the command line speaks English to the tests, whatever the machine's language


STARTS = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}  # audit events


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="without tests marked `process`; one that starts a process fails")
    parser.addoption("--one-case", action="store_true",
                     help="each test in its first case, those of radios in all; none that is marked `once`")


def pytest_collection_modifyitems(config, items):
    """`--quick`: only what starts no process is left; `--one-case`: the first of each test's cases, of most tests."""
    if config.getoption("--one-case"):
        seen, first, others = set(), [], []
        for item in items:
            case = item.path, item.cls, getattr(item, "originalname", item.name)
            again = case in seen and "radio" not in item.path.parts
            (others if again or item.get_closest_marker("once") else first).append(item)
            seen.add(case)
        items[:] = first
        config.hook.pytest_deselected(items=others)
    if config.getoption("--quick"):
        slow = [item for item in items if item.get_closest_marker("process")]
        items[:] = [item for item in items if not item.get_closest_marker("process")]
        config.hook.pytest_deselected(items=slow)


def pytest_collection_finish():
    """What was read for all tests is not searched for garbage again and again: it was a quarter of the time of some."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(7_000, 10, 10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """`-n auto`: half as many again as there are cores, as some tests wait for brokers, radios and whole islands."""
    return len(os.sched_getaffinity(0)) * 3 // 2 or 1


@pytest.fixture(scope="session", autouse=True)
def _starts_no_process(pytestconfig):
    """`--quick`: starting a process fails the test that does it and was not marked."""
    def refuse(event, arguments):
        if event in STARTS or (event == "import" and arguments[0].startswith("multiprocessing.popen_")):
            pytest.fail(f"{event}: mark the test with @pytest.mark.process")

    if pytestconfig.getoption("--quick"):
        sys.addaudithook(refuse)  # for good: there is no way to take a hook back


class Watch:
    """A monotonic clock that moves when told to, in seconds."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def settings(watch):
    return portal_settings(watch)


@pytest.fixture
def neighbourhood(tmp_path):
    made = Neighbourhood(tmp_path)
    yield made
    made.archive.close()


@pytest.fixture
def board(neighbourhood):
    return neighbourhood.board


@pytest.fixture
def portal(board, settings):
    return create_app(board, settings).test_client()


@pytest.fixture
def mesh():
    with SimulatedMesh([(0, 1)], speed=SPEED, settings=DeviceSettings(0, acquainted=True)) as running:
        yield running


@pytest.fixture
def connect():
    links = Links()
    yield links
    links.close()


@pytest.fixture
def puppet():
    radio = Puppet()
    yield radio
    radio.close()


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.archive.close()
