"""Care of a real island: its backup while it runs makes the same island again; what nobody takes is told on its pages."""

import io
from contextlib import contextmanager
from dataclasses import replace

import pytest

from node.board.api import Draft
from node.board.care import BackupStage, CareAct
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.orders import ORDERS_VARIABLE, PATIENCE_S
from node.daemon.restoring import NotRestored, restored
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.settings_keeper import CardLines
from node.model.clock import RELEASED_AT, ManualClock
from node.model.record import Kind
from node.store import sealed
from tests.waiting import until

SECRET = "la soupe du canal fume"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """A passphrase that is quick to try."""
    monkeypatch.setattr(sealed, "LOG_N", 4)


@contextmanager
def running(folder, clock=None, config=None):
    settings = Settings(NodeSettings("Canal", folder), PortalSettings(), RadioSettings(connect="none"),
                        MqttSettings("none"))
    app = App(settings, clock or ManualClock(RELEASED_AT + 90 * 86_400), card=CardLines(path=config))
    try:
        app.portal = app.open()
        yield app
    finally:
        app.close()


@pytest.fixture
def folder(tmp_path):
    KeyFolder(tmp_path / "data").found("Belleville", "Canal")
    return tmp_path / "data"


def backed_up(app):
    """The octets of a backup that is made and taken away."""
    app.board.care.make_backup(SECRET, "lea")
    until(lambda: app.board.care.backup().stage is not BackupStage.MAKING)
    state = app.board.care.backup()
    assert state.stage is BackupStage.READY, state.trouble
    return b"".join(app.board.care.take_backup(state.label, "lea").blocks)


def test_a_backup_made_by_the_running_island_makes_the_same_island_again(folder, tmp_path):
    config = tmp_path / "archipel.toml"
    config.write_text('[node]\nname = "Canal"\n')
    (folder / "backup").mkdir()
    (folder / "backup" / "earlier.backup").write_bytes(b"of an earlier run: nobody can take it away any more")
    with running(folder, config=config) as app:
        assert not (folder / "backup").exists()
        posted = app.board.post(Draft(Kind.BULLETIN, "à garder"))
        app.board.set_posting("members", "lea")
        raw, fingerprint = backed_up(app), app.board.status().set
        assert app.board.status().backup.last == app.board.now()
    new = tmp_path / "new"
    with pytest.raises(NotRestored, match="passphrase is wrong"):
        restored(io.BytesIO(raw), new, "une autre phrase")
    with pytest.raises(NotRestored, match="passphrase is wrong"):
        restored(io.BytesIO(raw), new, "")
    assert not new.exists()
    assert restored(io.BytesIO(raw), new, SECRET)[0] == 2  # a post, and the island's own vouch
    assert (new / "archipel.toml").read_text() == config.read_text()
    assert KeyFolder(new).wipe_code() == KeyFolder(folder).wipe_code()
    with pytest.raises(NotRestored, match="something in that folder"):
        restored(io.BytesIO(raw), new, SECRET)
    with running(new) as again:
        assert again.board.status().set == fingerprint and again.board.posting_rule() == "members"
        assert again.board.item(posted.id).text == "à garder"


def test_an_order_that_no_box_takes_is_told_on_the_first_page(folder, monkeypatch):
    monkeypatch.setenv(ORDERS_VARIABLE, "restart:wipe")
    clock = ManualClock(RELEASED_AT + 90 * 86_400)
    with running(folder, clock) as app:
        assert app.board.care.facts().acts == {CareAct.RESTART_ISLAND, CareAct.RESTART_BOX, CareAct.WIPE}
        app.board.care.order(CareAct.RESTART_BOX, "lea", "trop lente")
        assert (folder / "orders/restart.json").exists()
        until(lambda: clock.advance(PATIENCE_S) or not (folder / "orders/restart.json").exists())
        until(lambda: "did not start again" in " ".join(app.board.status().host.notices))
        page = app.portal.test_client().get("/?lang=en").get_data(as_text=True)
        assert "The box did not start again as a keeper asked" in page


def test_the_sensors_and_the_card_are_told_in_the_status(folder):
    with running(folder) as app:
        assert app.board.status().host.machine == app.maintenance.sensors.last
        facts = app.board.care.facts()
        assert 0 < facts.free_bytes <= facts.whole_bytes and facts.journal_bytes > 0 and facts.archive_bytes > 0
        assert replace(facts.update, version="") == replace(facts.update, version="", seen="", news=())
