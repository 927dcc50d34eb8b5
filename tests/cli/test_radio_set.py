"""`archipel radio`: what `archipel doctor` advises, typed as it stands, against a simulated radio."""

from dataclasses import replace

import pytest

from radio.sim.simnodes import STRICT, DeviceSettings
from radio.sim.simradio import FIRST_NUMBER, SimulatedMesh
from tests.cli.islands import archipel, running, write_config
from tests.waiting import until

UNSET = DeviceSettings(FIRST_NUMBER, firmware="2.8.0", region="UNSET", policy=STRICT)
SPEED = 20


@pytest.fixture
def mesh():
    with SimulatedMesh([], settings={0: UNSET}, speed=SPEED) as mesh:
        yield mesh


@pytest.fixture(params=["by TCP", "by a serial line"])
def config(request, mesh, tmp_path):
    """The settings file of an island at that radio."""
    path = str(tmp_path / "ttyUSB0")
    if request.param == "by a serial line":
        mesh.plug(0, path)
    config = write_config(tmp_path, "Place des Fêtes")
    where = f"tcp:127.0.0.1:{mesh.ports[0]}" if request.param == "by TCP" else f"serial:{path}"
    text = config.read_text(encoding="utf-8").replace('connect = "none"', f'connect = "{where}"')
    config.write_text(text, encoding="utf-8")
    assert where in text
    return config


def advice(said):
    """The commands that a remedy names."""
    lines = [line for line in said.splitlines() if "archipel radio" in line]
    return [line.partition("archipel ")[2].partition(" (")[0].split() for line in lines]


def told(config):
    """What the radio says of its settings, once it answers: it restarts after some of them."""
    def answer():
        said = archipel("radio", "--config", config)[1]
        return said if "a radio answers" in said else None

    return until(answer)


def heal(config):
    """Type what is advised until nothing is advised any more; the commands."""
    typed = []
    while commands := advice(told(config)):
        code, said = archipel(commands[0][0], "--config", config, *commands[0][1:])
        assert code == 0, said
        typed.append(commands[0][1:])
        assert len(typed) < 5
    return typed


WANTED = [["--region", "EU_868"], ["--signatures", "balanced"]]


def test_what_is_advised_can_be_typed_while_no_island_runs(config):
    assert heal(config) == WANTED
    assert archipel("radio", "--config", config)[0] == 0


def test_and_while_the_island_runs_and_holds_the_radio(config):
    with running(config, "--speed", str(SPEED)):
        assert heal(config) == WANTED
        assert "EU_868" in told(config)
        until(lambda: "EU_868" in archipel("doctor", "--config", config)[1])


def test_an_island_without_a_radio_says_so(tmp_path):
    config = write_config(tmp_path, "x")
    code, said = archipel("radio", "--config", config, "--region", "EU_868")
    assert code == 1 and "[radio] connect" in said


@pytest.mark.parametrize(("typed", "said"), [
    (("--region", "help"), "'EU_868'"), (("--region", "Europe"), "'EU_868'"), (("--role", "router"), "'CLIENT_MUTE'"),
    (("--pass-on", ""), "'LOCAL_ONLY'"), (("--hops", "x"), "x is no number from 0 to 7"), (("--hops", "8"), "from 0 to 7"),
    (("--signatures", "none"), "'balanced'")])
def test_what_no_radio_knows_is_answered_with_what_they_know(typed, said):
    code, told = archipel("radio", *typed)
    assert code == 2 and said in told


def test_words_may_be_typed_in_small_letters(mesh, config):
    assert archipel("radio", "--config", config, "--region", "eu-868", "--role", "client", "--pass-on", "all") == (
        0, "The radio is set up so.\n")


def test_a_key_is_not_lost_by_it(mesh, config):
    number = mesh.number(0)
    heal(config)
    assert mesh.number(0) == number == replace(UNSET, region="EU_868").node
