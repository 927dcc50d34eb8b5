"""One table in memory: its documents, and the draft that TinyDB changes before the change is durable."""

from abc import abstractmethod
from collections.abc import ItemsView, Iterator, Mapping, MutableMapping
from copy import deepcopy
from typing import Generic, TypeVar

from node.store.payload import Document

Kept = TypeVar("Kept")  # what a shelf keeps for a document


class Shelf(Mapping[str, Document], Generic[Kept]):
    """Documents by id, however they are kept. Safe to read from any thread; only its storage writes, a commit at a time."""

    @abstractmethod
    def documents(self) -> Iterator[tuple[str, Document]]:
        """Every document with its id, as of now."""

    @abstractmethod
    def prepare(self, id_: str, document: Document) -> Kept:
        """What is kept for a document read from a line; raises one of UNFIT when it does not belong here."""

    @abstractmethod
    def document(self, kept: Kept) -> Document:
        """The document to write for what is kept."""

    @abstractmethod
    def apply(self, changes: Mapping[str, Kept | None]) -> int:
        """Keep what was prepared, drop the ids that come with None; how many entries of a journal that made useless."""

    def items(self) -> ItemsView[str, Document]:
        """The same for TinyDB: whoever goes through it never sees a later change."""
        return dict(self.documents()).items()


class DocumentShelf(Shelf[Document]):
    """Plain documents, kept as they are."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def __getitem__(self, id_: str) -> Document:
        return self._documents[id_]

    def __contains__(self, id_: object) -> bool:
        return id_ in self._documents

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._documents))

    def __len__(self) -> int:
        return len(self._documents)

    def documents(self) -> Iterator[tuple[str, Document]]:
        """See Shelf."""
        return iter(list(self._documents.items()))

    def prepare(self, id_: str, document: Document) -> Document:
        """See Shelf."""
        if not isinstance(document, dict):
            raise TypeError("a document is an object")
        return document

    def document(self, kept: Document) -> Document:
        """See Shelf."""
        return kept

    def apply(self, changes: Mapping[str, Document | None]) -> int:
        """See Shelf."""
        useless = 0
        for id_, kept in changes.items():
            useless += (id_ in self._documents) + (kept is None)
            if kept is None:
                self._documents.pop(id_, None)
            else:
                self._documents[id_] = kept
        return useless


class TableDraft(MutableMapping[str, Document]):
    """A table while TinyDB changes it: reads through to the shelf, and keeps what was touched."""

    def __init__(self, shelf: Mapping[str, Document]):
        self._shelf = shelf
        self._touched: dict[str, Document | None] = {}

    def __getitem__(self, id_: str) -> Document:
        if id_ not in self._touched:
            self._touched[id_] = deepcopy(self._shelf[id_])
        document = self._touched[id_]
        if document is None:
            raise KeyError(id_)
        return document

    def __setitem__(self, id_: str, document: Document) -> None:
        self._touched[id_] = document

    def __delitem__(self, id_: str) -> None:
        if id_ not in self:
            raise KeyError(id_)
        self._touched[id_] = None

    def __iter__(self) -> Iterator[str]:
        ids = dict.fromkeys(self._shelf) | dict.fromkeys(self._touched)
        return iter([id_ for id_ in ids if id_ in self])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Delete every document."""
        self._touched = dict.fromkeys([*self._shelf, *self._touched])

    def changes(self) -> dict[str, Document | None]:
        """What differs from the shelf: the new document, or None for a deleted one."""
        return {id_: document for id_, document in self._touched.items() if document != self._shelf.get(id_)}
