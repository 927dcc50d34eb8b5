"""Whole islands in folders of their own, on a clock that runs fast, opened anew when they ask for it as gunicorn does."""

import time
from contextlib import contextmanager, suppress

from node.board.api import Draft
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import LanSettings, MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.clock import FastClock
from node.model.errors import RemoteFault
from node.model.record import Kind

SPEED = 20.0
START = time.time()


class Home:
    """One island's folder, and the island while it runs: it is opened anew when it asks for that, as gunicorn does."""

    def __init__(self, folder, broker="none"):
        self.keys, self.wants_anew = KeyFolder(folder), False
        self.settings = Settings(NodeSettings(folder.name, folder), PortalSettings(), RadioSettings(connect="none"),
                                 MqttSettings(broker), lan=LanSettings(discover=False))
        self.app = None

    def open(self):
        self.wants_anew = False
        self.app = App(self.settings, FastClock(SPEED, START), start_anew=self._ask)
        self.app.portal = self.app.open()
        self.app.runner.call(lambda: None)  # by then its papers are taken in

    def _ask(self):
        self.wants_anew = True

    def close(self):
        self.app.close()

    def knows(self, other):
        return other.keys.island_key().key_id in self.app.liveset.trust.standings

    def speaks(self, secret):
        """Open it anew if it asks; whether it speaks with this secret."""
        if self.wants_anew:
            self.close()
            self.open()
        return self.app.charter.secret == secret

    @property
    def board(self):
        return self.app.board

    def visit(self, *others):
        """These are on one network: it asks each with the present secret, and who does not know that with earlier ones."""
        for other in others:
            for table in self.app.lan.tables:
                with suppress(RemoteFault):
                    table.visit(other.app.lan.answer)
                    break

    def post(self, text):
        return self.app.board.post(Draft(Kind.BULLETIN, text=text))

    @property
    def texts(self):
        return {item.text for item in self.app.board.bulletins(limit=50).items}


@contextmanager
def on(*homes):
    for home in homes:
        home.open()
    try:
        yield homes
    finally:
        for home in homes:
            home.close()
