"""A link that cannot be opened is down with its reason; the others and the portal work."""

import threading

import pytest

from node.board.api import Draft
from node.daemon.app import App
from node.daemon.idle_link import opened
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import (
    LanSettings,
    MqttSettings,
    NodeSettings,
    PacketSettings,
    PortalSettings,
    RadioSettings,
    Settings,
)
from node.daemon.settings_reader import Notice, read
from node.model.clock import SystemClock
from node.model.record import Kind
from radio.link import Outcome
from tests.mosquitto import Mosquitto
from tests.waiting import until


def test_what_a_library_raises_at_its_opening_becomes_a_link_that_is_down():
    def fails():
        raise OverflowError("port must be 0-65535.")

    link, told = opened("packet", "packet", fails)
    assert (link.name, link.up, link.state, link.send(b"x"), link.receive(0)) == ("packet", False, "settings",
                                                                                  Outcome.DOWN, None)
    assert "port must be" in str(told) and "[packet]" in str(told)
    link.close()
    link.close()
    assert link.receive(60) is None, "a closed link keeps nobody waiting"


@pytest.fixture
def island(tmp_path):
    """Opens an island with these settings; its portal in `portal`."""
    opened_ones = []

    def opens(**sections):
        KeyFolder(tmp_path / "island").found("Belleville", "a")
        whole = Settings(node=NodeSettings("a", tmp_path / "island"), portal=PortalSettings(), lan=LanSettings(False),
                         **sections)
        app = App(whole, SystemClock(), read(b"[node]\ncolour = 1\n").notices)
        opened_ones.append(app)
        app.portal = app.open().test_client()
        return app

    yield opens
    for app in opened_ones:
        app.close()


def states_of(app):
    return {link.name: link.state for link in app.board.status().host.links}


def test_an_island_whose_broker_has_no_readable_certificate_works_with_the_others(island, tmp_path):
    (tmp_path / "broker").mkdir()
    broker = Mosquitto(tmp_path / "broker").start()
    missing = tmp_path / "nowhere" / "ca.pem"
    try:
        app = island(radio=RadioSettings("tcp:127.0.0.1:9"),
                     mqtt=MqttSettings(f"mqtts://h, {broker.url}", authority=str(missing)),
                     packet=PacketSettings("tcp:host:99999", callsign="F4ABC", public=True))
        app.board.post(Draft(Kind.BULLETIN, text="Soupe"))
        until(lambda: states_of(app)["mqtt2"] == "up")
        states = states_of(app)
        assert states["mqtt"] == "files" and set(states) == {"radio", "packet", "mqtt", "mqtt2"}
    finally:
        broker.stop()
    page = app.portal.get("/?lang=en").text
    assert "Soupe" in page and "mqtt" in page and "ca.pem" in page and "colour" in page
    assert "files" in app.portal.get("/radio?lang=en").text


@pytest.mark.parametrize("sections", [
    {"radio": RadioSettings("usb")}, {"radio": RadioSettings("tcp:h", max_payload=999)},
    {"radio": RadioSettings("tcp:h:999999")},
    {"packet": PacketSettings("usb", "F4ABC", True)}, {"packet": PacketSettings("tcp:h:x", "F4ABC", True)},
    {"mqtt": MqttSettings("mqtts://" + "a" * 80, certificate="/nowhere", key="/nowhere")},
])
def test_no_link_keeps_the_portal_from_working(island, sections):
    """What the settings refuse, but code might still hand over."""
    app = island(**({"radio": RadioSettings("none")} | sections))
    assert app.portal.get("/").status_code == 200 and not any(link.up for link in app.board.status().host.links)
    assert all(thread.is_alive() for thread in threading.enumerate() if thread.name == "runner")


def test_notices_of_links_come_first_and_are_sentences(island):
    app = island(radio=RadioSettings("usb"))
    first, second = map(Notice.of, app.board.status().host.notices)
    assert "radio" in str(first.sentence) and "colour" in str(second.sentence)
