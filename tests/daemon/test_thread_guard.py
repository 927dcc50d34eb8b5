"""In the debug mode, what belongs to one thread raises when another uses it; out of it, nothing is touched."""

import threading
from dataclasses import replace

import pytest

from node.board.api import Draft
from node.board.keyring import InviteWish, KeyRole
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.rpc_handlers import handlers
from node.daemon.rpc_keys import key_handlers
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.thread_guard import VARIABLE, ThreadOwner, WrongThread, guard
from node.daemon.timekeeper import TimeSource
from node.model.clock import SystemClock
from node.model.record import Kind
from node.replica.liveset import Change
from node.sync.events import Tick


class Bell:
    """Something that belongs to a thread."""

    def __init__(self):
        self.rung = 0

    def ring(self):
        self.rung += 1


def elsewhere(work):
    """What another thread raises at `work`, or None."""
    raised = []

    def tried():
        try:
            work()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=tried, name="a page")
    thread.start()
    thread.join(30)
    return raised[0] if raised else None


def test_only_its_owner_may_use_it_while_that_thread_lives():
    bell, owner = Bell(), ThreadOwner("runner")
    guard(bell, owner)
    assert elsewhere(bell.ring) is None, "it is being put together"
    owner.begin(threading.current_thread())
    bell.ring()
    error = elsewhere(lambda: bell.ring())
    assert isinstance(error, WrongThread) and "Bell.ring" in str(error) and "a page" in str(error)
    owner.end()
    assert elsewhere(lambda: bell.ring()) is None and bell.rung == 3 and isinstance(bell, Bell)


def test_what_a_guarded_object_has_not_is_missing_in_every_thread():
    bell, owner = Bell(), ThreadOwner("runner")
    guard(bell, owner)
    owner.begin(threading.current_thread())
    assert isinstance(elsewhere(lambda: bell.rang), AttributeError) and not hasattr(bell, "rang")
    assert isinstance(elsewhere(lambda: bell.rung), WrongThread) and bell.rung == 0


def test_some_of_it_may_be_for_all():
    bell, other, owner = Bell(), Bell(), ThreadOwner("runner")
    guard(bell, owner, free=("rung",))
    guard(other, owner, only=("ring",))
    owner.begin(threading.current_thread())
    for one in (bell, other):
        assert elsewhere(lambda one=one: one.rung) is None
        assert isinstance(elsewhere(lambda one=one: one.ring()), WrongThread)


def test_without_the_mode_nothing_is_wrapped(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    bell, owner = Bell(), ThreadOwner("runner")
    guard(bell, owner)
    owner.begin(threading.current_thread())
    assert type(bell) is Bell and elsewhere(bell.ring) is None


@pytest.fixture
def island(tmp_path):
    """One that runs, with a radio, a TNC and a broker that nobody answers for."""
    folder = tmp_path / "a"
    KeyFolder(folder).found("Belleville", "a")
    base = Settings(NodeSettings("a", folder), PortalSettings(), RadioSettings("tcp:127.0.0.1:1"),
                    MqttSettings("mqtt://127.0.0.1:1"))
    app = App(replace(base, packet=replace(base.packet, connect="tcp:127.0.0.1:1", callsign="F4ABC-1", public=True)),
              SystemClock())
    try:
        app.portal = app.open()
        yield app
    finally:
        app.close()


def test_a_running_islands_core_is_its_runners_alone(island):
    governors = list(island.governors.values())
    lora, packet, mqtt, _tap = island.runner.call(lambda: list(island.replica.engines))
    misuses = [
        *(lambda engine=engine: engine.handle(Tick(), 0.0) for engine in (lora, packet, mqtt)),
        *(lambda engine=engine: engine.deadline for engine in (lora, packet, mqtt)),
        *(lambda governor=governor: governor.used_s(0.0) for governor in governors),
        lambda: lora.governor, lambda: lora.status(None, 0.0), lambda: packet.context,
        lambda: island.liveset.propose([], 0.0), lambda: island.liveset.apply(Change()), lambda: island.liveset.expire(0.0),
        lambda: island.replica.handle(Tick(), 0.0), lambda: island.replica.publish([], 0.0),
        lambda: island.replica.take_in([], "lan", 0.0), lambda: island.replica.deadline,
        lambda: island.liveset.forget([]), lambda: island.liveset.waiting(0.0), lambda: island.liveset.load([], 0.0),
        lambda: island.replica.handle_all([], 0.0), lambda: island.replica.load(0.0),
        lambda: island.timekeeper.tell(TimeSource.SYSTEM, 0.0), lambda: island.timekeeper.keeper_says(0.0),
        lambda: island.timekeeper.settle(), lambda: island.timekeeper.undo(),
            lambda: island.liveset.dated_ahead(0.0), lambda: island.links[0].send_text("x"),
        *(lambda link=link: link.send(b"x") for link in island.links),
    ]
    assert len(governors) == 2 and len(island.links) == 3
    for number, misuse in enumerate(misuses):
        with pytest.raises(WrongThread):
            misuse()
            pytest.fail(f"misuse {number} was not noticed")
    assert len(misuses) == 32


def test_what_is_for_every_thread_stays_so(island):
    readings = [
        lambda: island.board.status(), lambda: island.liveset.ids(), lambda: island.timekeeper.now(),
        lambda: island.air.cost.packets(100), lambda: island.portal.test_client().get("/radio"),
        lambda: island.maintenance.archive_status, lambda: island.discovery.status(),
        lambda: island.runner.call(lambda: island.air.governor.used_s(island.timekeeper.now())),
    ]
    for reading in readings:
        reading()
    assert len(readings) == 8


def test_the_command_line_is_answered_from_a_thread_of_its_own(island):
    answer = handlers(island) | key_handlers(island.board.keyring)
    island.board.post(Draft(Kind.BULLETIN, "Soupe à 19 h"))
    raws = answer["raws"]({"kinds": [Kind.BULLETIN]})
    for request in ("status", "groups", "keys"):
        answer[request]({})
    assert len(answer["list"]({"limit": 5})) == len(raws) == 1
    assert island.bulk.unload([bytes.fromhex(raw) for raw in raws], "usb") == ["duplicate"]
    assert island.board.imports._take_in([]) == [] and not island.board.set_clock(0, "Ada")


def test_what_maintenance_does_to_the_core_it_does_on_the_runners_thread(island):
    posted = island.board.post(Draft(Kind.BULLETIN, "Soupe à 19 h"))
    row = island.store.get(bytes.fromhex(posted.id))
    island.maintenance._move([row])
    assert island.board.item(posted.id), "it was live all the time: it kept its row"
    for task in (*island.maintenance._tasks, island.maintenance.erasure.pay):
        task()
    assert island.store.get(row.id) == row and not island.store.note("hidden")
    with pytest.raises(WrongThread):
        island.maintenance._let_go([row.id])


def test_a_page_that_asked_an_engine_would_fail(island, monkeypatch):
    page = island.portal.test_client()
    assert page.get("/radio").status_code == 200
    monkeypatch.setattr(island, "reporter", type("Asking", (), {
        "last": property(lambda self: island.air.status(None, 0.0)), "refresh": lambda self, now: None})())
    assert page.get("/radio").status_code == 500


def test_the_runner_sends_nothing_itself(island):
    assert island.links
    for link in island.links:
        with pytest.raises(WrongThread):
            island.runner.call(lambda link=link: link.send(b"x"))


def test_a_revocation_that_waited_long_enough_is_sent_by_maintenance(island):
    keyring = island.board.keyring
    keyring.invite(InviteWish(), "lea")
    open_one, = [view for view in keyring.tree() if view.role is KeyRole.INVITATION]
    keyring.revoke(keyring.look(open_one.id, None).label, "lea")
    island.board.notes.update(lambda state: replace(state, revocations={
        id_: replace(one, sent_at=island.board.now()) for id_, one in state.revocations.items()}))
    for task in island.maintenance._tasks:
        task()
    assert not keyring.waiting() and keyring.find(open_one.id)[0].cut is not None
