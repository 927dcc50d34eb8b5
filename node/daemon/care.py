"""What keepers do for their box from the desk: backups, checks, and orders to the box (`node.board.care.Care`).

    DATA/backup/NAME.backup    a backup that waits to be taken away: sealed, for an hour, gone with the next start
    DATA/backup/carried, DATA/backup/not-carried    how the box fared with putting it on the stick (`carry` on the SD image)
"""

import contextlib
import logging
import os
import shutil
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node import __version__
from node.board import care, explanations
from node.board.board import Board
from node.board.care import (
    KEPT_MIN,
    BackupFile,
    BackupStage,
    BackupState,
    CareAct,
    CareFacts,
    CareRefused,
    Checkup,
    Finding,
    UpdateState,
)
from node.board.reasons import AuditAction
from node.board.status import MachineStatus, as_json
from node.daemon.checkup import examine, of_notices
from node.daemon.keyfiles import KeyFolder
from node.daemon.machine import uptime_s
from node.daemon.orders import Orders
from node.daemon.settings import Settings
from node.daemon.settings_reader import Notice, notices_in
from node.i18n.sentence import sentence
from node.model.clock import utc_day
from node.model.passphrase import passphrase_fault, spellings
from node.store.backup import ARCHIVE_FILE, parts_of
from node.store.disk import Disk
from node.store.index import StoreFailed
from node.store.journalstore import NOTES, RECORDS
from node.store.sealed import SALT_BYTES, BackupRefused, FileSeal

log = logging.getLogger(__name__)

STICK_VARIABLE, UPDATES_VARIABLE = "ARCHIPEL_STICK", "ARCHIPEL_UPDATES"  # on the SD image: the stick's device, its updates
BACKUP_FOLDER, BACKUP_ENDING = "backup", ".backup"
CARRIED, NOT_CARRIED = "carried", "not-carried"
ROOM_BYTES = 20_000_000  # that stay free beside a backup, for posts
BLOCK_BYTES = 1 << 16
CARRY_S = 600.0  # the box gives a stick so long (archipel-carry.service); a slow one takes 1 MB a second
CHECK_S = 60.0  # for all checks; a broker that does not answer is given up on after some 20 s each
STALLED_S = 600.0  # a download that has not moved for so long is over
MAX_NAME_LETTERS = 30
ORDERS: dict[CareAct, tuple[str, dict[str, str]]] = {
    CareAct.RESTART_ISLAND: ("restart", {"what": "island"}), CareAct.RESTART_BOX: ("restart", {"what": "box"}),
    CareAct.UPDATE: ("update", {}), CareAct.WIPE: ("wipe", {})}


@dataclass(frozen=True)
class CareHost:
    """What care needs of the island: its settings, `config` the settings file if there is one, `hashing` the lock under
    which one slow hash is made at a time, `machine` what the sensors told last, `notices` what is
    told of the settings, `monotonic` as of the timekeeper."""

    settings: Settings
    orders: Orders
    hashing: AbstractContextManager[Any]
    machine: Callable[[], MachineStatus]
    notices: Callable[[], Iterable[str]]
    monotonic: Callable[[], float]
    config: Path | None = None


class IslandCare:
    """Care of one island's box. Safe from any thread but the runner's."""

    def __init__(self, board: Board, host: CareHost):
        self._board, self._host = board, host
        self._data = host.settings.node.data
        self._folder = self._data / BACKUP_FOLDER
        self._lock = threading.Lock()
        self._state, self._since = BackupState(), 0.0
        self._carrier = ""  # the keeper who has it put on the stick
        self._moved_at: float | None = None  # when the download that is under way moved last
        self._checkup, self._checks = Checkup(), threading.Thread()
        Disk().remove_all(self._folder)  # what an earlier run left: nobody knows its label any more

    # the state of the box

    def facts(self) -> CareFacts:
        """See Care."""
        disk = shutil.disk_usage(self._data)
        journals = sum(_size(self._data / f"{name}.journal") for name in (RECORDS, NOTES))
        acts = frozenset(act for act, (word, _) in ORDERS.items() if word in self._host.orders.words)
        return CareFacts(disk.free, disk.total, journals, _size(self._data / ARCHIVE_FILE), uptime_s(),
                         self._host.machine(), update_state(), self._stick(), acts)

    def _stick(self) -> bool:
        device = os.environ.get(STICK_VARIABLE)
        return bool(device) and os.path.exists(device or "") and "backup" in self._host.orders.words

    def checkup(self) -> Checkup:
        """See Care."""
        return self._checkup

    def examine(self) -> None:
        """See Care. What takes too long is not waited for, and as long as it hangs no other look begins."""
        found: list[Finding] = []
        with self._lock:
            if self._checkup.working or self._checks.is_alive():
                return
            self._checkup = replace(self._checkup, working=True)
            self._checks = threading.Thread(target=self._look, args=(found,), name="checkup", daemon=True)
            self._checks.start()
        threading.Thread(target=self._await, args=(self._checks, found), name="checkup end", daemon=True).start()

    def _look(self, found: list[Finding]) -> None:
        try:
            found.extend(of_notices(self._host.notices()))
            found.extend(examine(self._host.settings, as_json(self._board.status())))
        except Exception:
            log.exception("a check of the doctor's failed")

    def _await(self, checks: threading.Thread, found: list[Finding]) -> None:
        checks.join(CHECK_S)
        with self._lock:
            self._checkup = Checkup(tuple(found), self._board.now(), cut=checks.is_alive())

    # backups

    def backup(self) -> BackupState:
        """See Care."""
        self.tidy()
        return self._state

    def make_backup(self, passphrase: str, keeper: str, why: str = "") -> None:
        """See Care."""
        node = self._host.settings.node
        fault = passphrase_fault(passphrase, node.name, keeper)
        if fault:
            raise CareRefused(explanations.passphrase(fault))
        facts = self.facts()
        if facts.free_bytes < facts.journal_bytes + facts.archive_bytes + ROOM_BYTES:
            raise CareRefused(care.NO_ROOM)
        with self._lock:
            if self._state.stage in (BackupStage.MAKING, BackupStage.CARRYING) or self._under_way():
                raise CareRefused(care.BUSY)
            before, self._state = self._state, BackupState(BackupStage.MAKING)
        try:
            self._board.log_act(AuditAction.BACKUP, keeper, why=why)
        except BaseException:
            self._state = before
            raise
        text = spellings(passphrase)[0]
        threading.Thread(target=self._make, args=(text,), name="backup", daemon=True).start()

    def _make(self, passphrase: str) -> None:
        try:
            state = self._made(passphrase)
        except BackupRefused:
            state = BackupState(BackupStage.FAILED, trouble=care.NOT_WHOLE)
        except (OSError, StoreFailed) as error:
            state = BackupState(BackupStage.FAILED, trouble=sentence(
                "The backup could not be made (%(error)s). Is the memory card full, or failing?",
                error=getattr(error, "strerror", None) or str(error)))
        except Exception:
            log.exception("making a backup failed")
            state = BackupState(BackupStage.FAILED, trouble=sentence(
                "The backup could not be made, by a mistake in Archipel. Please tell who makes it."))
        if state.stage is BackupStage.FAILED:
            Disk().remove_all(self._folder)
        with self._lock:
            self._state, self._since = state, self._host.monotonic()

    def _made(self, passphrase: str) -> BackupState:
        """Written, synced, and read back as it is on the card."""
        disk = Disk()
        disk.remove_all(self._folder)
        disk.make_folder(self._folder)
        with self._host.hashing:
            seal = FileSeal(passphrase, os.urandom(SALT_BYTES))
        path = self._folder / file_name(self._host.settings.node.name, self._board.now())
        beside = path.with_name(path.name + ".part")
        with disk.writing(beside) as stream:
            seal.write(stream, parts_of(self._data, self._files()))
        with disk.reading(beside) as stream:
            with contextlib.suppress(OSError):  # what the kernel remembers is not what the card holds
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            seal.check(stream)
        disk.rename(beside, path)
        disk.sync_folder(self._folder)
        return BackupState(BackupStage.READY, path.name, os.urandom(8).hex(), _size(path), self._board.now() + KEPT_MIN)

    def _files(self) -> dict[str, Path]:
        files = {f"keys/{path.name}": path for path in KeyFolder(self._data).path.glob("*") if path.is_file()}
        return files | ({"archipel.toml": self._host.config} if self._host.config and self._host.config.is_file() else {})

    def take_backup(self, label: str, keeper: str) -> BackupFile | None:
        """See Care."""
        with self._lock:
            state = self._state
            if not state.label or state.label != label:
                return None
            if self._under_way():
                raise CareRefused(care.TAKEN_NOW)
            self._moved_at = self._host.monotonic()
        try:
            stream = Disk().reading(self._folder / state.name)
        except OSError:
            self._moved_at = None
            return None
        return BackupFile(state.name, state.size_bytes, self._handed_over(stream, state, keeper))

    def _handed_over(self, stream: Any, state: BackupState, keeper: str) -> Iterator[bytes]:
        try:
            with stream:
                while block := stream.read(BLOCK_BYTES):
                    yield block
                    self._moved_at = self._host.monotonic()
            self._board.backed_up(state.size_bytes, "download", keeper)
        finally:
            self._moved_at = None

    def _under_way(self) -> bool:
        return self._moved_at is not None and self._host.monotonic() - self._moved_at < STALLED_S

    def carry_backup(self, keeper: str) -> None:
        """See Care."""
        with self._lock:
            if not self._state.label or self._state.stage is BackupStage.CARRYING:
                raise CareRefused(care.BUSY)
            if not self._stick():
                raise CareRefused(care.NO_STICK if "backup" in self._host.orders.words else care.NOT_HERE)
            for name in (CARRIED, NOT_CARRIED):
                (self._folder / name).unlink(missing_ok=True)
            self._host.orders.place("backup")
            self._state, self._carrier = replace(self._state, stage=BackupStage.CARRYING, trouble=None), keeper
            self._since = self._host.monotonic()

    def drop_backup(self, keeper: str) -> None:
        """See Care."""
        with self._lock:
            if not self._state.label or self._state.stage is BackupStage.CARRYING or self._under_way():
                return
            self._state = BackupState()
            Disk().remove_all(self._folder)
        self._board.log_act(AuditAction.BACKUP_DROPPED, keeper)

    def tidy(self) -> None:
        """See Care."""
        carried = 0
        with self._lock:
            if self._state.stage is BackupStage.CARRYING:
                carried = self._look_at_stick()
            late = self._host.monotonic() - self._since >= KEPT_MIN * 60
            if self._state.stage in (BackupStage.READY, BackupStage.CARRIED) and late and not self._under_way():
                self._state = BackupState()
                Disk().remove_all(self._folder)
        if carried:
            self._board.backed_up(carried, "stick", self._carrier)

    def _look_at_stick(self) -> int:
        """The size of the backup, if the box has put it on the stick."""
        if (self._folder / CARRIED).exists():
            self._state = replace(self._state, stage=BackupStage.CARRIED)
            return self._state.size_bytes
        if (self._folder / NOT_CARRIED).exists() or self._host.monotonic() - self._since >= CARRY_S:
            self._state = replace(self._state, stage=BackupStage.READY, trouble=care.STICK_TOOK_NONE)
        return 0

    # orders

    def order(self, act: CareAct, keeper: str, why: str = "") -> None:
        """See Care. The audit log has it before the box hears of it."""
        word, fields = ORDERS[act]
        if word not in self._host.orders.words:
            raise CareRefused(care.NOT_HERE)
        self._board.log_act(AuditAction(act.value), keeper, why=why)
        try:
            self._host.orders.place(word, **fields)
        except OSError as error:
            raise CareRefused(sentence("The memory card does not take the order (%(error)s): pull the plug of the box and "
                                       "put it back.", error=error.strerror or "")) from error

    def wipe_code(self) -> str:
        """See Care."""
        return KeyFolder(self._data).wipe_code() if "wipe" in self._host.orders.words else ""


def update_state() -> UpdateState:
    """What the SD image's program for updates left to be read (image-build/overlay/usr/lib/archipel/update.py)."""
    told = os.environ.get(UPDATES_VARIABLE)
    if not told:
        return UpdateState(__version__)
    folder = Path(told)
    news = tuple(Notice.of(line).sentence for line in notices_in(str(folder / "notices")))
    seen = _line(folder / "seen")
    return UpdateState(__version__, (folder / "trial").exists(), seen, news)


def file_name(island: str, minute: int) -> str:
    """What a backup of today is called: in plain letters, as every stick and browser takes them."""
    plain = unicodedata.normalize("NFKD", island).encode("ascii", "ignore").decode()
    letters = "-".join("".join(sign if sign.isalnum() else " " for sign in plain.lower()).split())[:MAX_NAME_LETTERS]
    return f"archipel-{letters or 'island'}-{utc_day(minute)}{BACKUP_ENDING}"


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()[:40]
    except OSError:
        return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
