"""The doctor says what is wrong in a line, and what to do about it."""

import json
import socket
from dataclasses import replace

import pytest
from click.testing import CliRunner

from node.board.care import Level
from node.cli.doctor import port_taken
from node.cli.island import status_lines
from node.cli.main import main
from node.daemon.checkup import clock_findings, examine, lan_findings, radio_findings
from node.daemon.settings import LanSettings, MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from radio.sim.simnodes import DeviceSettings
from radio.sim.simradio import SimulatedMesh
from tests.mosquitto import Mosquitto
from tests.ports import free_ports
from tests.radio.test_conversation import NO_NAMES


def settings_for(folder, radio="none", broker="none", port=None):
    listen = ("127.0.0.1", port or free_ports())
    return Settings(NodeSettings("x", folder), PortalSettings(listen), RadioSettings(connect=radio), MqttSettings(broker))


def bad(settings, status=None):
    return [(str(finding.what), str(finding.remedy or "")) for finding in examine(settings, status, port_taken)
            if finding.level is Level.BAD]


def test_a_healthy_island_has_nothing_to_mend(tmp_path):
    assert bad(settings_for(tmp_path / "new")) == []


def test_a_data_folder_that_is_a_file_is_bad(tmp_path):
    (tmp_path / "data").write_text("")
    assert "cannot be written" in bad(settings_for(tmp_path / "data"))[0][0]


def test_a_taken_port_is_bad(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (what, remedy), = bad(settings_for(tmp_path, port=taken.getsockname()[1]))
    assert "cannot listen" in what and "[portal] listen" in remedy


@pytest.mark.parametrize(("told", "said"), [
    ({"firmware": "2.5.9", "region": "EU_868"}, "known holes"),
    ({"firmware": "2.7.26", "region": "UNSET"}, "region is not set"),
])
def test_old_firmware_and_an_unset_region_are_bad(told, said):
    findings = [finding for finding in radio_findings(told) if finding.level is Level.BAD]
    assert len(findings) == 1 and said in str(findings[0].what) and findings[0].remedy


def test_a_real_connection_to_a_radio_is_examined(tmp_path):
    with SimulatedMesh([], settings={"a": DeviceSettings(7, region="UNSET")}) as mesh:
        (what, remedy), = bad(settings_for(tmp_path, f"tcp:127.0.0.1:{mesh.ports['a']}"))
    assert "region is not set" in what and "archipel radio --region EU_868" in remedy


def test_a_broker_that_answers_is_fine_and_one_that_does_not_is_bad(tmp_path):
    broker = Mosquitto(tmp_path).start()
    try:
        assert bad(settings_for(tmp_path, broker=broker.url)) == []
        refused = bad(settings_for(tmp_path, broker=broker.url), {"links": [{"name": "mqtt", "up": False}], "clock": {}})
        assert refused == []
    finally:
        broker.stop()
    assert "cannot be reached" in bad(settings_for(tmp_path, broker=broker.url))[0][0]
    tls = Mosquitto(tmp_path).start()
    try:
        assert "not speak TLS" in bad(settings_for(tmp_path, broker=f"mqtts://127.0.0.1:{tls.port}"))[0][0]
    finally:
        tls.stop()


def told_of_lan(settings, peers=None):
    status = None if peers is None else {"links": [], "clock": {}, "lan": {"peers": peers}}
    return " ".join(str(finding.what) for finding in examine(settings, status) if "network" in str(finding.what))


def test_other_islands_on_the_network_are_told_one_by_one():
    peers = [{"name": f"10.0.0.{number}:80", "up": state == "up", "state": state}
             for number, state in enumerate(("up", "new", "status-403", "slow"))]
    told = list(lan_findings(peers))
    assert [finding.level for finding in told] == ["ok", "note", "note", "note"] and told[2].remedy
    for number, word in enumerate(("exchanges", "not visited", "does not know this set", "does not answer (slow)")):
        assert word in str(told[number].what) and f"10.0.0.{number}" in str(told[number].what)


def test_that_nobody_is_seen_around_or_can_come_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("node.daemon.lan_discovery.own_addresses", lambda: ["10.0.0.9"])
    here = settings_for(tmp_path)
    assert "no other island is seen" in told_of_lan(here, []) and "cannot come here" in told_of_lan(here)
    everywhere = replace(here, portal=PortalSettings(("0.0.0.0", here.portal.listen[1])))
    assert told_of_lan(everywhere) == ""
    assert "is looked for" in told_of_lan(replace(here, lan=LanSettings(discover=False)), [])
    monkeypatch.setattr("node.daemon.lan_discovery.own_addresses", list)
    assert "on no network" in told_of_lan(everywhere, [])


CLOCK = {"source": "floor", "sure": False, "told": False, "now": 1_500_000, "undo": False, "others": []}
LIAR = [{"source": "radio", "minute": 1_788_000}]


@pytest.mark.parametrize(("clock", "machine", "levels", "words"), [
    ({"source": "system", "sure": True, "told": True}, 0, [Level.OK], "knows the time"),
    ({"source": "system", "sure": True, "told": True, "others": LIAR}, 0, [Level.OK, Level.NOTE], "and is not believed"),
    ({"source": "radio", "told": True}, 0, [Level.NOTE], "has that only from: a radio without satellites"),
    ({}, 1_500_030, [Level.NOTE], "nobody vouches for that"),
    ({}, 1_788_000, [Level.BAD], "nobody vouches for that"),
    ({"others": LIAR}, 1_500_000, [Level.BAD, Level.BAD], "nobody vouches for that"),
])
def test_a_clock_that_nobody_vouches_for_is_told_with_what_to_do(clock, machine, levels, words):
    found = list(clock_findings(CLOCK | clock, machine))
    assert [finding.level for finding in found] == levels
    assert words in " ".join(str(finding.what) for finding in found)
    assert all("/keeper/clock" in str(finding.remedy) for finding in found if finding.level is not Level.OK)


@pytest.mark.parametrize(("clock", "line"), [
    ({}, "clock    2026-11-07 16:00 UTC, and nobody vouches for that: let a keeper set it, on the page /keeper/clock"),
    ({"told": True, "source": "island"}, "clock    2026-11-07 16:00 UTC, told by: another island (not sure)"),
    ({"told": True, "sure": True, "source": "gps"}, "clock    2026-11-07 16:00 UTC, told by: satellites, by a radio"),
])
def test_the_status_says_who_told_the_time(clock, line):
    told = {"name": "x", "records": 1, "checksum": "0", "store": {"ok": True}, "links": [],
            "archive": {"searched": 0, "unread": 0}}
    assert line in status_lines(told | {"clock": CLOCK | clock})


def test_what_the_island_tells_is_told_and_what_presses_is_bad(tmp_path):
    told = {"links": [], "clock": CLOCK | {"told": True, "sure": True}, "rights": {"until": 0, "by": [], "lack": "unknown"},
            "share": {"records": 900, "of_records": 1_024, "size_bytes": 1, "of_bytes": 9, "half_ends": 2_000},
            "erasure_owed_s": 90_000.0}
    findings = {finding.about: finding.level for finding in examine(settings_for(tmp_path), told)}
    assert findings["rights-unknown"] == findings["erasure-overdue"] == Level.BAD and findings["share-near"] == Level.NOTE


def test_a_broker_that_keeps_nothing_is_bad_however_well_the_link_does(tmp_path):
    (tmp_path / "acl").write_text("topic read #\n")
    broker = Mosquitto(tmp_path, f"acl_file {tmp_path / 'acl'}").start()
    try:
        up = {"links": [{"name": "mqtt", "up": True, "state": "up", "broker": {"verdict": "up"}}], "clock": {}}
        (what, remedy), = bad(settings_for(tmp_path, broker=broker.url), up)
        assert "keeps nothing" in what and "archipel/#" in remedy
    finally:
        broker.stop()


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_cannot_be_one_is_an_answer_not_an_end(tmp_path, name, monkeypatch):
    monkeypatch.setattr("node.daemon.checkup.RADIO_PATIENCE_S", 0.2)
    (broker, spelling), = bad(settings_for(tmp_path, broker=f"mqtt://{name}"))
    assert "its name is unknown" in broker and "spelling" in spelling
    assert "no radio answers" in bad(settings_for(tmp_path, radio=f"tcp:{name}"))[0][0]
    here = settings_for(tmp_path)
    nowhere = replace(here, portal=PortalSettings((name, here.portal.listen[1])))
    assert "cannot listen" in bad(nowhere)[0][0]


def test_where_nothing_is_plugged_in_nobody_waits_for_a_radio(tmp_path, monkeypatch):
    def wait(_seconds):
        pytest.fail("it waits")

    monkeypatch.setattr("radio.meshtastic.link.serial_paths", lambda: [])
    monkeypatch.setattr("node.daemon.checkup.time.sleep", wait)
    found = [str(finding.what) for finding in examine(settings_for(tmp_path, radio="auto"), None)]
    assert "no radio answers (auto)" in found
    config = tmp_path / "archipel.toml"
    config.write_text(f'[node]\ndata = "{tmp_path / "data"}"\n')
    done = CliRunner().invoke(main, ["radio", "--region", "EU_868", "--config", str(config)])
    assert done.exit_code == 1 and "Is it on and connected?" in done.output


def test_programs_read_the_findings_as_json_and_the_exit_code(tmp_path):
    config = tmp_path / "archipel.toml"
    config.write_text(f'[node]\ndata = "{tmp_path / "data"}"\n[radio]\nconnect = "none"\n'
                      f'[portal]\nlisten = "127.0.0.1:{free_ports()}"\n[mqtt]\nbroker = "mqtt://no-such-name.invalid"\n')
    done = CliRunner().invoke(main, ["doctor", "--json", "--config", str(config)])
    told = {finding["about"]: finding for finding in json.loads(done.output)}
    assert done.exit_code == 1 and told["broker-unknown"]["level"] == "bad" and told["broker-unknown"]["remedy"]
    assert told["folder"]["level"] == "ok" and told["folder"]["remedy"] is None
    config.write_text(config.read_text().replace("mqtt://no-such-name.invalid", "none"))
    done = CliRunner().invoke(main, ["doctor", "--json", "--config", str(config)])
    assert done.exit_code == 0 and not [finding for finding in json.loads(done.output) if finding["level"] == "bad"]
