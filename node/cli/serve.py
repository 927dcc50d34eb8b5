"""The portal under gunicorn: one worker with threads, in the runner's process. No access log: nobody counts readers.

With a web server before it, as on the SD image, gunicorn listens where the settings say. Without one the lobby listens
there (`node.daemon.lobby`), and gunicorn at a Unix socket in a folder of its own.
"""

import gc
import logging
import os
import shutil
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from node.cli.language import _, say, worded
from node.cli.options import fingerprint
from node.daemon.allocator import give_memory_back
from node.daemon.file_trouble import told
from node.daemon.keyfiles import KeyFolder, KeyTrouble
from node.daemon.lobby import MAX_LINES, Lobby
from node.daemon.settings import Settings
from node.daemon.settings_reader import SettingsReading
from node.i18n.sentence import N_, Explained, Sentence, sentence
from node.model.clock import Clock
from node.store.backup import finish_restore
from node.store.disk import Disk, StoreLocked

THREADS = 16
REFUSALS = {
    400: N_("This was no request that a browser makes."),
    431: N_("This request is too long."),
    503: N_("This island has too much to do right now. Try again in a minute."),
}
GRACE_S = 2  # for pages under way when the island is told to stop
WORKER_S = 14  # for those, links and last jobs (`node.daemon.runner`) together: then gunicorn kills it; the unit gives 15 s


class PortTaken(Explained):
    """Something else listens where the portal should; `remedy` says what to do."""

    def __init__(self, sentence: Sentence, remedy: Sentence):
        super().__init__(sentence)
        self.remedy = remedy

    def worded(self) -> str:
        """Both in the chosen language."""
        return f"{worded(self.sentence)} {worded(self.remedy)}"


def check_free(listen: tuple[str, int]) -> None:
    """Raise PortTaken, with what to do, unless the portal could listen at (host, port)."""
    host, port = listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(listen)
        except (OSError, ValueError, TypeError, OverflowError) as error:  # all but the first: what is no name, or no port
            raise PortTaken(
                sentence("cannot listen on %(host)s:%(port)s (%(error)s).", host=host, port=port,
                         error=getattr(error, "strerror", None) or str(error)),
                sentence("Another program uses that port, or it needs more rights: write another one in the settings file, "
                         "[portal] listen.")) from error


def bind_of(listen: tuple[str, int]) -> str:
    """A host and a port as gunicorn takes them."""
    host, port = listen
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class PortalServer(BaseApplication):
    """Serves the app that `build` makes in the worker at `bind`; `stop` is called there when it ends."""

    def __init__(self, bind: str, build: Callable[[], Any], stop: Callable[[], None]):
        self._bind, self._build, self._stop = bind, build, stop
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings."""
        wanted = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 60,
            "graceful_timeout": WORKER_S,
            "post_fork": lambda server, worker: worker.cfg.set("graceful_timeout", GRACE_S),
            "keepalive": 5,
            "accesslog": None,
            "loglevel": "error",  # its warnings say which address a request that was none came from
            "forwarder_headers": "",  # or a visitor may say under which address everybody's links begin (SCRIPT_NAME)
            "proc_name": "archipel",
            "worker_exit": lambda server, worker: self._stop(),
        }
        if "control_socket_disable" in self.cfg.settings:  # gunicorn >= 25 opens one; nobody here talks to it
            wanted["control_socket_disable"] = True
        for name, value in wanted.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application; runs in the worker."""
        return self._build()


def run_island(reading: SettingsReading, clock: Clock, config: Path | None = None) -> None:
    """One island until it is told to stop; a clear end of the command if it cannot start. `config`: its settings file.

    An island that is to start anew ends its worker as a keeper's stop would; gunicorn then makes another one.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for ours in ("node", "radio", "web"):
        logging.getLogger(ours).setLevel(logging.INFO)
    give_memory_back()
    _check_can_start(reading.settings)
    reading = _named(reading)
    settings = reading.settings
    _load_code()
    if settings.portal.behind_front:
        _serve((reading, config), clock, bind_of(settings.portal.listen), None)
        return
    folder, own = mkdtemp(prefix="archipel-"), os.getpid()  # that no other user enters
    lobby = Lobby(settings.portal.listen, f"{folder}/portal", THREADS, {of: _(text) for of, text in REFUSALS.items()})
    try:
        _serve((reading, config), clock, f"unix:{folder}/portal", lobby)
    finally:
        lobby.close()
        if os.getpid() == own:  # workers end here too, and another one may follow
            shutil.rmtree(folder, ignore_errors=True)


def _named(reading: SettingsReading) -> SettingsReading:
    """The same with the name that the island was given when it was made, if its settings file has none."""
    settings = reading.settings
    name = "" if ("node", "name") in reading.given else KeyFolder(settings.node.data).given_name()
    return replace(reading, settings=replace(settings, node=replace(settings.node, name=name))) if name else reading


def _serve(read: tuple[SettingsReading, Path | None], clock: Clock, bind: str, lobby: Lobby | None) -> None:
    reading, config = read
    running: list[Any] = []  # in the worker only; what began last ends first

    def build() -> Any:
        island = _island(reading, clock, config)
        running.append(island)
        portal = island.open()
        gc.collect()
        gc.freeze()  # what is there now stays: to look through it again would hold up every packet and page for a while
        _greet(island)
        if lobby:
            running.insert(0, lobby)
            lobby.start()
            say("No web server stands before it: visitors that stall or break off do no harm, but whoever holds %(lines)s "
                "connections from many addresses keeps others out, and nothing is encrypted.", lines=str(MAX_LINES))
        return portal

    def stop() -> None:
        for one in running:
            one.close()

    PortalServer(bind, build, stop).run()


def _end_worker() -> None:
    """As a keeper's stop would; gunicorn makes another one."""
    os.kill(os.getpid(), signal.SIGTERM)


def _island(reading: SettingsReading, clock: Clock, config: Path | None) -> Any:
    """The island, or its first start as long as it belongs to no set."""
    from node.daemon.app import App
    from node.daemon.first_start import FirstStart
    from node.daemon.settings_keeper import card_lines

    card = card_lines(reading, config)
    if KeyFolder(reading.settings.node.data).charter_exists():
        return App(reading.settings, clock, reading.notices, _end_worker, card)
    return FirstStart(reading.settings, _end_worker, reading.notices, card)


def _greet(island: Any) -> None:
    from node.daemon.app import portal_address
    from node.daemon.first_start import FirstStart

    address = portal_address(island.settings)
    if not isinstance(island, FirstStart):
        say("%(name)s is at %(address)s  (Ctrl-C stops it)", name=island.settings.node.name, address=address)
    elif island.code_is_ours:
        say("A new island in %(folder)s. Make it at %(address)s with the code %(code)s  (Ctrl-C stops it).\nWithout pages: "
            "archipel init, found or join.", folder=str(island.settings.node.data), address=f"{address}start",
            code=island.code)
    else:
        say("A new island. Make it at %(address)s with the code on its card.", address=f"{address}start")


def _load_code() -> None:
    """Load what an island needs before anybody can ask for a page: from when the portal listens, people wait for it.

    It is shared with the worker that is forked from here, as nothing in it is moved by either.
    """
    gc.disable()  # as while the command was loaded
    import icalendar  # noqa: F401 - the first calendar would wait for it, 2.5 s on a twelfth of a core

    import node.daemon.first_start  # noqa: F401 - and what an island is put together from

    gc.collect()
    gc.freeze()
    gc.enable()


def _check_can_start(settings: Settings) -> None:
    """Whatever would end the worker later is said now, in a sentence."""
    try:
        _try_to_start(settings)
    except PortTaken as taken:
        raise click.ClickException(taken.worded()) from taken
    except KeyTrouble as trouble:
        raise click.ClickException(worded(trouble.sentence)) from trouble
    except StoreLocked as error:
        raise click.ClickException(_in_use(str(settings.node.data), error.holder)) from error
    except OSError as error:
        raise click.ClickException(worded(told(error))) from error


def _in_use(folder: str, holder: int | None) -> str:
    """Who has the folder, for the keeper to stop it."""
    if holder is None:
        return _("%(folder)s is in use by another island that runs: stop it first, or give this one another [node] data.",
                 folder=folder)
    return _("%(folder)s is in use by an island that runs as process %(process)s: stop it first, or give this one another "
             "[node] data.", folder=folder, process=str(holder))


def _try_to_start(settings: Settings) -> None:
    check_free(settings.portal.listen)
    finish_restore(settings.node.data)
    keys = KeyFolder(settings.node.data)
    if not keys.charter_exists() and settings.box.keeper and settings.box.keeper_password:  # then nothing is to be asked
        charter = keys.found(settings.node.name, settings.node.name)
        say("A new island in %(folder)s, with a set of its own (to join another's: archipel join). "
            "The set's fingerprint: %(fingerprint)s.", folder=str(settings.node.data), fingerprint=fingerprint(charter))
    if keys.charter_exists():
        keys.charter(), keys.island_key(), keys.credentials(), keys.planned()
    else:
        Disk().make_folder(settings.node.data)
    Disk().lock(settings.node.data / "lock").release()
