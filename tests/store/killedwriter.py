"""A writer that is killed again and again: it posts, expires and compacts, and says each time what is safely there.

usage: python -m tests.store.killedwriter FOLDER FIRST     prints "+ID" after a commit, "-ID" before it lets a record go
"""

import sys
from pathlib import Path

from node.store import documents
from node.store.archive import Archive, retire
from node.store.journalstore import JournalStore
from tests.store.storerows import made_up

KEPT = 60  # live records before the oldest are retired


def tell(sign, rows):
    sys.stdout.write("".join(f"{sign}{row.id.hex()}\n" for row in rows))
    sys.stdout.flush()


def main(folder, number):
    """Go on until killed."""
    documents.SPARE_GARBAGE = 20  # rewritten often
    store, archive = JournalStore(folder), Archive(folder / "archive.db")
    print("ready", flush=True)
    while True:
        rows = [made_up(number + more) for more in range(1 + number % 3)]
        number += len(rows)
        store.commit(put=rows)
        tell("+", rows)
        store.set_note("number", number)
        print(f"={number}", flush=True)
        if len(store) > KEPT:
            oldest = sorted(store.rows(), key=lambda row: row.created)
            retire(store, archive, [row.id for row in oldest[:20]], {row.id: f"mot{row.created}" for row in oldest})
            gone = oldest[20:25]
            tell("-", gone)
            store.commit(delete=[row.id for row in gone])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
