"""What a version leaves on a card, and a backup of it: `python -m tests.vectors.make_island VERSION`

writes `island-VERSION.tar.xz`, which `tests/store/test_migration.py` opens. Once for every release that changes how
something is kept, never again for that release. Its keys belong to nobody.
"""

import json
import os
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from node.daemon.bulk_client import resting
from node.daemon.keyfiles import KeyFolder
from node.model.clock import ManualClock, minute_of
from node.model.record import Kind, Record, encode, sign
from node.store.archive import Archive, retire
from node.store.backup import ARCHIVE_FILE, back_up
from node.store.journalstore import JournalStore
from node.store.sealed import SALT_BYTES

HERE = Path(__file__).parent
PASSPHRASE = "quatre mots au hasard"
WRITTEN_AT = 1_790_000_000.0
RETIRED = 3


def main(version):
    with tempfile.TemporaryDirectory() as folder:
        island = Path(folder) / "island"
        told = fill(island)
        back_up(island, Path(folder) / "island.backup", PASSPHRASE, {"keys/charter": island / "keys/charter"},
                os.urandom(SALT_BYTES))
        (Path(folder) / "told.json").write_text(json.dumps(told, indent=1))
        with tarfile.open(HERE / f"island-{version}.tar.xz", "x:xz") as archive:
            for name in ("island", "island.backup", "told.json"):
                archive.add(Path(folder) / name, name)


def fill(island):
    """An island with live and past records, notes and words; what must be found in it."""
    keys = KeyFolder(island)
    keys.found("Belleville", "Nord")
    charter, key, now = keys.charter(), keys.island_key(), minute_of(WRITTEN_AT)
    raws = [encode(sign(Record(Kind.BULLETIN, key.key_id, now + number, 24 * 28, packed=f"Soupe numéro {number}".encode()),
                        charter.set_id, key.sign)) for number in range(20)]
    with resting(island, "Nord", ManualClock(WRITTEN_AT)) as bulk:
        assert set(bulk.unload(raws, "post")) == {"kept"}
    with closing(JournalStore(island)) as store, closing(Archive(island / ARCHIVE_FILE)) as archive:
        ids = [found.id for found in store.rows() if found.raw in raws]
        retire(store, archive, ids[:RETIRED], {id_: "soupe passée" for id_ in ids[:RETIRED]})
        store.set_note("peers", {"b": [1, "é"]})
        return {"at": WRITTEN_AT, "passphrase": PASSPHRASE, "set": charter.set_id.hex(), "key": key.key_id.hex(),
                "live": {found.id.hex(): found.raw.hex() for found in store.rows()},
                "past": [id_.hex() for id_ in ids[:RETIRED]], "note": store.note("peers")}


if __name__ == "__main__":
    main(sys.argv[1])
