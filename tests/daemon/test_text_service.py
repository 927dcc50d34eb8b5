"""A hand-held, played by the stock client, reads and posts on a whole island by simulated radios."""

import logging
import queue
import time
from dataclasses import replace
from pathlib import Path

import meshtastic
import pytest
from meshtastic.tcp_interface import TCPInterface
from pubsub import pub

from node.board.api import Draft
from node.daemon import text_service
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import RadioSettings
from node.daemon.text_service import MAX_HEARD, TextInbox
from node.handheld.words import TAGS
from node.model.record import Kind
from radio.meshtastic.link import TextReceived
from radio.sim.simdevice import DeviceSettings
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line
from tests.daemon.test_app import SPEED, running, settings_for
from tests.handheld.tasks import CAT, MEETING, SOUP, WORDS
from tests.waiting import until

MOST_BYTES = 219
KNOWN = DeviceSettings(0, acquainted=True)  # a real radio sends no text to one whose key it has not heard
PAUSE_S = 3.0 / SPEED  # between texts: the firmware refuses what comes sooner


class HandHeld:
    """A stock client on a radio of its own; `received` are the texts that came, as octets."""

    def __init__(self, port, island):
        self.received, self._island, self._said_at = queue.Queue(), island, 0.0
        pub.subscribe(self._hear, "meshtastic.receive.text")
        self.client = TCPInterface("127.0.0.1", portNumber=port)

    def _hear(self, packet, interface):
        if interface is self.client:
            self.received.put(packet["decoded"]["payload"])

    def say(self, text, to=None):
        until(lambda: time.monotonic() > self._said_at + PAUSE_S)
        self.client.sendText(text, destinationId=to or self._island, wantAck=to is None)
        self._said_at = time.monotonic()

    def ask(self, text):
        """The answer to a text."""
        self.say(text)
        octets = self.received.get(timeout=90)
        assert len(octets) <= MOST_BYTES
        return octets.decode()

    def close(self):
        pub.unsubscribe(self._hear, "meshtastic.receive.text")
        self.client.close()


@pytest.fixture
def folder(tmp_path):
    KeyFolder(tmp_path / "île").found("Belleville", "Place des Fêtes")
    return tmp_path / "île"


@pytest.fixture
def mesh():
    with SimulatedMesh([(0, 1)], seed=3, speed=SPEED, settings=KNOWN) as running_mesh:
        yield running_mesh


@pytest.fixture
def island(folder, mesh):
    with running(settings_for(folder, f"tcp:127.0.0.1:{mesh.ports[0]}")) as one:
        until(lambda: one.links[0].up)
        yield one


@pytest.fixture
def hand(island, mesh):
    one = HandHeld(mesh.ports[1], mesh.number(0))
    yield one
    one.close()


def change(island, **radio):
    """What keepers set on their desk."""
    island.settings = replace(island.settings, radio=replace(island.settings.radio, **radio))


def furnish(island, tag):
    language = ("fr", "en", "es", "ar").index(tag) + 1
    start = island.board.now() + 5
    for day in range(3):
        island.board.post(Draft(Kind.EVENT, title=f"{MEETING[tag]} {day + 1}", start=start + 1440 * day,
                                end=start + 1440 * day + 60, language=language, offset=4))
    island.board.post(Draft(Kind.BULLETIN, SOUP[tag], language))
    later = island.board.now()
    until(lambda: island.board.now() > later, pause_s=0.2)  # the newest is the one of the later minute
    island.board.post(Draft(Kind.BULLETIN, CAT[tag] * 12, language))
    until(lambda: island.board.search(SOUP[tag].split()[0]).items)


@pytest.mark.parametrize("tag", TAGS)
def test_every_task_is_one_message_for_one_over_the_air(island, hand, tag):
    furnish(island, tag)
    tasks = [task for task in WORDS if task not in ("menu", "status", "language", "reply", "cancel")]
    back = {task: [hand.ask(text) for text in WORDS[task][tag]] for task in [*tasks, "cancel", "menu", "status"]}
    assert len(back) >= 10 and all(answer.startswith(">") for answers in back.values() for answer in answers)
    assert sum(len(answer.encode()) for answer in back["one bulletin"]) < 300 and len(back["one bulletin"]) == 2
    assert SOUP[tag] in back["one bulletin"][1] and SOUP[tag] in back["search"][1]
    assert hand.received.empty(), "nothing came unasked"


def test_a_post_by_radio_is_on_the_page_with_how_it_came(island, hand):
    answer = hand.ask("publie Lait en poudre demandé 🍼")
    page = island.portal.test_client().get("/bulletins", headers={"Accept-Language": "fr"}).text
    assert "Lait en poudre demandé 🍼" in page and "Par radio" in page
    assert hand.ask(answer.partition(": ")[2]) == ">C'est retiré."
    assert island.board.bulletins().items == []


def test_a_post_by_radio_reaches_another_island_as_such(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    first = KeyFolder(a)
    first.found("Belleville", "a")
    KeyFolder(b).join(first.invite(), "b")
    with SimulatedMesh(line(3), seed=3, speed=SPEED, settings=KNOWN) as mesh:
        ways = [settings_for(folder, f"tcp:127.0.0.1:{mesh.ports[node]}") for folder, node in ((a, 1), (b, 2))]
        with running(ways[0]) as one, running(ways[1]) as two:
            until(lambda: one.links[0].up and two.links[0].up)
            hand = HandHeld(mesh.ports[0], mesh.number(1))
            try:
                assert hand.ask("publie Soupe ce soir").startswith(">Publié")
                item = until(lambda: next(iter(two.board.bulletins().items), None))
                assert item.by_radio and not item.author.here
            finally:
                hand.close()


def test_what_is_said_to_everybody_is_not_answered(island, hand):
    hand.say("nouvelles", to="^all")
    assert hand.ask("?").startswith(">")
    assert island.links[0].counters["texts"] == 1, "a broadcast is no text to us"


def test_who_asked_is_nowhere_in_the_folder_nor_in_the_log(island, hand, folder, mesh, caplog):
    caplog.set_level(logging.DEBUG)
    for text in ("nouvelles", "publie Lait demandé", "cherche quelquechosedetresrare", "english"):
        hand.ask(text)
    until(lambda: island.board.status().host.texts.sent >= 4)
    island.close()
    number = mesh.number(1)
    needles = [f"{number:08x}".encode(), number.to_bytes(4, "big"), number.to_bytes(4, "little"), str(number).encode(),
               b"quelquechosedetresrare"]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        content = path.read_bytes().lower()
        assert not [needle for needle in needles if needle in content], path
    library = str(Path(meshtastic.__file__).parent)  # which plays the hand-held here, and tells all of it
    own = "\n".join(record.getMessage() for record in caplog.records if not record.pathname.startswith(library))
    assert f"{number:08x}" not in own and "quelquechose" not in own


def test_keepers_switch_it_off_and_on_and_choose_words(island, hand):
    assert hand.ask("?").startswith(">île")
    change(island, texts_greeting="Radio Canal", texts_words="nouvelles = quartier")
    assert hand.ask("?").startswith(">Radio Canal\n1 agenda 2 quartier")
    change(island, texts=False)
    hand.say("?")
    until(lambda: island.links[0].counters["texts"] == 3)
    until(lambda: island.board.status().host.texts is None)
    change(island, texts=True)
    assert hand.ask("quartier") and hand.received.empty()


def test_the_status_tells_how_much_air_it_takes(island, hand):
    hand.ask("?")
    told = until(lambda: (texts := island.board.status().host.texts) and texts.sent and texts)
    assert 0 < told.used_s < 3 and 60 < told.left_s < 72


def test_two_islands_that_text_each_other_fall_silent(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        KeyFolder(folder).found("Belleville", folder.name)
    with SimulatedMesh([(0, 1)], seed=3, speed=SPEED, settings=KNOWN) as mesh:
        one, two = (settings_for(folder, f"tcp:127.0.0.1:{port}")
                    for folder, port in zip(folders, mesh.ports.values(), strict=True))
        with running(one) as here, running(two) as there:
            until(lambda: here.links[0].up and there.links[0].up)
            there._text_inbox.put(TextReceived(f"!{mesh.number(0):08x}", "nouvelles"))  # as if the other one had asked
            until(lambda: here.links[0].counters["texts"] == 1)
            until(lambda: there.links[0].counters["text-acked"] == 1)
            here._text_inbox.put(TextReceived(f"!{mesh.number(1):08x}", "?"))
            until(lambda: there.links[0].counters["texts"] == 1)
            until(lambda: here.links[0].counters["text-acked"] == 1)
            assert here.links[0].counters["texts"] == there.links[0].counters["texts"] == 1


def test_an_urgent_call_is_announced_once_on_the_channel_that_keepers_chose(tmp_path, monkeypatch):
    monkeypatch.setattr(text_service, "LOOK_S", 0.5)
    folder = tmp_path / "a"
    KeyFolder(folder).found("Belleville", "a")
    devices = {node: DeviceSettings(0xA1C00000 + node, channels=("", "quartier"), acquainted=True) for node in range(2)}
    with SimulatedMesh([(0, 1)], seed=3, speed=SPEED, settings=devices) as mesh:
        wanted = replace(settings_for(folder, f"tcp:127.0.0.1:{mesh.ports[0]}"),
                         radio=RadioSettings(f"tcp:127.0.0.1:{mesh.ports[0]}", texts_announce="quartier"))
        with running(wanted) as island:
            until(lambda: island.links[0].up)
            hand = HandHeld(mesh.ports[1], mesh.number(0))
            try:
                island.board.post(Draft(Kind.BULLETIN, "Coupure d'eau", urgent=True))
                assert hand.received.get(timeout=90).decode() == ">URGENT: PAS CONFIRMÉ Coupure d'eau - a"
                island.board.post(Draft(Kind.BULLETIN, "Encore une", urgent=True))
                assert hand.ask("?").startswith(">a") and hand.received.empty(), "the second one waits for half an hour"
            finally:
                hand.close()


def test_what_nobody_reads_yet_is_bounded():
    inbox = TextInbox()
    for _ in range(MAX_HEARD + 5):
        inbox.put(TextReceived("!00000001", "?"))
    inbox.wake()
    assert inbox.dropped == 5
    assert [inbox.take(0) is not None for _ in range(MAX_HEARD + 1)] == [True] * MAX_HEARD + [False]
