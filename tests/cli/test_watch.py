"""`archipel watch` fits its terminal, says why the radio waits, and ends cleanly."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import MappingProxyType

import pytest

from node.board.status import BrokerStatus, LinkStatus, as_json
from node.cli import language
from node.cli.air_lines import bar, cells, cut, spark
from node.cli.island import status_lines
from node.cli.watch import ENTER, LEAVE, frame
from tests.cli.islands import PATIENCE_S, ROOT, archipel, running, write_config
from tests.sim.portals import Neighbourhood


@pytest.fixture
def told(neighbourhood: Neighbourhood):
    return as_json(neighbourhood.board.status())


@pytest.mark.parametrize("tag", ["fr", "en", "es", "ar"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (120, 50), (200, 70), (20, 5), (1, 1)])
def test_every_line_fits_whatever_the_terminal(told, tag, width, height):
    language.choose(lambda: tag, {})
    try:
        lines = frame(told, width, height)
    finally:
        language.choose(lambda: "en", {})
    assert 0 < len(lines) <= height
    assert max(map(cells, lines)) <= width


def test_eighty_by_twenty_four_tell_what_an_operator_asks(told):
    page = "\n".join(frame(told, 80, 24))
    for word in ("The next packet goes at", "this hour’s air is used", "for urgent calls.", "158 of 180 s, law 360",
                 "Île de la gare", "does not hear", "events", "1 new record", "WAITS", "LAST PACKETS"):
        assert word in page, word


def test_the_figures_of_a_packet_and_what_became_of_it_are_never_what_is_cut_off(told):
    packets = next(link for link in told["links"] if "packets" in link)["packets"]
    lines = [line for line in frame(told, 60, 40) if line.startswith(("↑", "↓"))]
    assert len(lines) == len(packets) > 3
    for one, line in zip(packets, lines, strict=True):
        assert f"{one['size_bytes']} B" in line and ("dB" in line or one["sent"] or one["snr_db"] is None), line
    assert any("went out" in line for line in lines)


def test_who_had_the_same_before_our_newest_post_is_not_said_to_have_it(told):
    link = next(link for link in told["links"] if "neighbours" in link)
    link["neighbours"][:] = [link["neighbours"][0] | {"set": "same", "lacks": 3}]
    page = "\n".join(status_lines(told))
    assert "lacks 3 records of ours" in page and "has the same" not in page


def test_a_larger_terminal_shows_more(told):
    small, large = (frame(told, 100, height) for height in (24, 60))
    assert len(large) > len(small) and "(4/5)" in "\n".join(small) and "/5)" not in "\n".join(large)


def test_an_island_without_a_radio_and_one_that_has_gone_are_told(told, neighbourhood):
    assert "The island is away." in "\n".join(frame(told | {"away": "The island is away."}, 80, 24))
    neighbourhood.host = replace(neighbourhood.host, links=(LinkStatus("mqtt", True, "up", MappingProxyType({})),))
    assert "This island has no radio." in frame(as_json(neighbourhood.board.status()), 80, 24)


def test_the_status_says_when_the_next_packet_goes_what_waits_and_who_is_deaf(told):
    page = "\n".join(status_lines(told))
    for words in ("The next packet goes at", "events · 2 packets · 15 minutes ago · at", "Jardin du haut (9a41), directly",
                  "does not hear us → is our antenna", "Until"):
        assert words in page, words


def test_a_link_that_is_down_has_its_remedy_below(told, neighbourhood):
    radio, *_ = neighbourhood.host.links
    down = (replace(radio, up=False, state="region-unset"), LinkStatus("mqtt", False, "absent", broker=BrokerStatus("")))
    neighbourhood.host = replace(neighbourhood.host, links=down)
    page = "\n".join(status_lines(as_json(neighbourhood.board.status())))
    assert "down (has no region, so it does not send)" in page and "    → set its region with the Meshtastic app" in page
    assert "plug it in" not in page, "a broker has no cable"


def test_bars_and_sparks_are_as_long_as_asked_and_full_when_all_is_used():
    assert bar(0, 0.875, 8) == "░░░░░░░▒" and bar(2.0, 1, 8) == "████████" and len(bar(0.3, 0.9, 30)) == 30
    assert spark([None, 0.0, 0.01, 5.0], 5.0, 4) == "  ▁█" and spark([], 1.0, 10) == ""
    assert len(spark([1.0] * 144, 1.0, 30)) == 30


@pytest.mark.parametrize(("text", "width", "shown"), [
    ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("漢字漢字", 5, "漢字…"), ("e\u0301te\u0301", 3, "e\u0301te\u0301"),
    ("", 3, "")])
def test_a_line_is_cut_by_what_a_terminal_shows(text, width, shown):
    assert cut(text, width) == shown


@pytest.fixture(scope="module")
def island(tmp_path_factory):
    with running(write_config(tmp_path_factory.mktemp("island"), "Île")) as config:
        yield config


@pytest.mark.process
def test_once_it_is_shown_and_the_command_ends(island):
    code, output = archipel("watch", "--once", "--config", island)
    assert code == 0 and "Île" in output and "\x1b" not in output


@pytest.mark.process
def test_without_an_island_it_says_so(tmp_path):
    code, output = archipel("watch", "--config", write_config(tmp_path, "nobody"))
    assert code == 1 and "belongs to no set yet" in output


def watching(island, **streams):
    environment = {**os.environ, "LANG": "en_GB.UTF-8", "TERM": "xterm"}
    return subprocess.Popen([sys.executable, "-m", "node", "watch", "--config", str(island)], cwd=ROOT, env=environment,
                            stderr=subprocess.STDOUT, **streams)


@pytest.mark.process
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_at_a_terminal_it_draws_in_place_and_gives_the_screen_back(island, ending):
    screen, end = pty.openpty()
    process = watching(island, stdin=end, stdout=end)
    os.close(end)
    said, give_up_at = b"", time.monotonic() + PATIENCE_S
    while said.count(b"\x1b[H") < 2:
        assert time.monotonic() < give_up_at, said
        if select.select([screen], [], [], 1)[0]:
            said += os.read(screen, 65_536)
    process.send_signal(ending)
    while LEAVE.encode() not in said:
        assert time.monotonic() < give_up_at, said
        said += os.read(screen, 65_536)
    assert process.wait(PATIENCE_S) == 0
    os.close(screen)
    assert said.startswith(ENTER.encode()) and b"Traceback" not in said and said.endswith(LEAVE.encode())


@pytest.mark.process
def test_into_a_pipe_it_writes_plain_lines(island):
    process = watching(island, stdout=subprocess.PIPE)
    first = [process.stdout.readline().decode() for _ in range(4)]
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=PATIENCE_S)[0].decode()
    assert process.returncode == 0 and "Traceback" not in rest
    assert first[0].startswith("Île ·") and "\x1b" not in "".join(first) + rest
