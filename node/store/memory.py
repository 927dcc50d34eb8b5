"""A store in memory: simulations, the demo's passers-by, and the model that the store on disk is compared with."""

import json
from collections.abc import Iterable, Iterator, Mapping

from node.store.index import Row, RowIndex, Slice


class MemoryStore:
    """Rows and notes that last as long as the process. Not for several threads at once."""

    damaged = 0  # records lost to a bad card; none here

    def __init__(self) -> None:
        self._index = RowIndex()
        self._notes: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._index)

    def commit(self, put: Iterable[Row] = (), delete: Iterable[bytes] = ()) -> None:
        """Delete, then put, all or nothing; unknown ids to delete are no fault, a known id is replaced."""
        for id_ in delete:
            self._index.discard(id_)
        for row in put:
            self._index.put(row)

    def get(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""
        return self._index.get(id_)

    def rows(self) -> Iterator[Row]:
        """Every row as of now, in no order; the store may change meanwhile."""
        return iter(list(self._index))

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """At most `limit` rows, and the mark to ask for what follows ("" at the end)."""
        return self._index.page(wanted, after, limit)

    def note(self, name: str) -> object:
        """The JSON value kept under `name`, or None."""
        return json.loads(self._notes.get(name, "null"))

    def names(self) -> list[str]:
        """Of every note that is kept."""
        return [name for name, value in self._notes.items() if value != "null"]

    def set_note(self, name: str, value: object) -> None:
        """Keep a JSON value under `name`; None forgets it."""
        self.set_notes({name: value})

    def set_notes(self, values: Mapping[str, object]) -> None:
        """Keep several JSON values by name, all or nothing; None forgets one."""
        self._notes.update({name: json.dumps(value) for name, value in values.items()})

    def health(self) -> tuple[bool, str]:
        """Whether commits are kept now, and the reason (a slug) if not."""
        return True, ""
