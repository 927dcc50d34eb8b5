"""Making an island of a backup where there is none yet: for the command line, and for the page of a first start."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from node.board import explanations
from node.daemon.file_trouble import told
from node.daemon.keyfiles import KeyFolder
from node.i18n.sentence import N_, Explained, Sentence, sentence
from node.store.backup import restore_from
from node.store.disk import Disk
from node.store.index import StoreFailed
from node.store.journalstore import NOTES, RECORDS, JournalStore
from node.store.sealed import BackupFault, BackupRefused

REFUSED: Mapping[BackupFault, str] = {
    BackupFault.NOT_A_BACKUP: N_("This file is not a backup of an island."),
    BackupFault.NEWER: N_("This backup was made by a newer version of archipel."),
    BackupFault.PASSPHRASE: N_("The passphrase is wrong, or the beginning of the file is damaged."),
    BackupFault.DAMAGED: N_("The backup is damaged: a part of it was changed after it was made."),
    BackupFault.CUT_SHORT: N_("The backup is cut short: its end is missing."),
    BackupFault.FOLDER_NOT_EMPTY: N_("There is something in that folder already: a backup goes into a new or empty one."),
}


class NotRestored(Explained):
    """No island was made of a backup, and nothing is left of the try; the sentence says why."""


def restored(backup: BinaryIO, folder: Path, passphrase: str) -> tuple[int, int]:
    """Make the island of a backup in `folder`, which holds none, whole or not at all: (records, archived records).

    It takes three seconds for the passphrase and some more on the smallest Pi, and 32 MB; nothing runs on the folder
    meanwhile. Raises NotRestored.
    """
    if not passphrase.strip():
        raise NotRestored(Sentence(REFUSED[BackupFault.PASSPHRASE]))
    try:
        counts = restore_from(backup, folder, passphrase)
    except BackupRefused as refused:
        raise NotRestored(Sentence(REFUSED[refused.reason])) from refused
    except (OSError, StoreFailed) as error:
        raise NotRestored(sentence("the backup could not be restored: %(error)s", error=_said(error))) from error
    return counts["records"], counts["archive"]


def forget_unmade(folder: Path) -> None:
    """Take away what a first start has left that was cut short, which would be in a backup's way: choices and keys without
    a set. Where there are records nothing is touched. Raises OSError, StoreFailed or StoreLocked."""
    keys, disk = KeyFolder(folder), Disk()
    left = [name for name in disk.names(folder) if name.partition(".")[0] in (RECORDS, NOTES) and ".journal" in name]
    if keys.charter_exists() or (left and _holds_records(folder)):
        return
    for name in left:
        disk.remove(folder / name)
    keys.forget_unmade()


def _holds_records(folder: Path) -> bool:
    with closing(JournalStore(folder)) as store:
        return len(store) > 0 or store.damaged > 0


def _said(error: OSError | StoreFailed) -> Sentence:
    return told(error) if isinstance(error, OSError) else explanations.closed(error.reason)
