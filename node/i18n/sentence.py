"""A sentence before it is said: its English pattern, and what goes into its places.

Places are `%(name)s`. A sentence is looked up in the reader's catalogue first and filled afterwards, so that nothing
that is filled in is ever translated, or read for places of its own. One without fields is said as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from gettext import NullTranslations
from typing import Any, Union

Value = Union[str, int, float, "Sentence"]
ENGLISH = NullTranslations()
COUNT = "num"  # the place that says how many, in sentences with a plural


@dataclass(frozen=True)
class Sentence:
    """`text` in English, `fields` by the names of its places; `many`: its form for all counts but one ("" if it has none).

    A field that is a sentence itself is said in the same language. It is also what travels between processes (`to_json`).
    """

    text: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    many: str = ""

    def pattern(self, catalogue: NullTranslations) -> str:
        """It in a catalogue's language, its places still open."""
        if self.many:
            return catalogue.ngettext(self.text, self.many, _number(self.fields[COUNT]))
        return catalogue.gettext(self.text)

    def said(self, catalogue: NullTranslations) -> str:
        """It in a catalogue's language, filled."""
        pattern = self.pattern(catalogue)
        if not self.fields:
            return pattern
        return pattern % {name: value.said(catalogue) if isinstance(value, Sentence) else value
                          for name, value in self.fields.items()}

    def __str__(self) -> str:
        """It in English, for logs and tests."""
        return self.said(ENGLISH)

    def to_json(self) -> dict[str, Any]:
        """As JSON: `text`, `fields`, `many`, without what is empty."""
        fields = {name: value.to_json() if isinstance(value, Sentence) else value for name, value in self.fields.items()}
        return {"text": self.text} | ({"fields": fields} if fields else {}) | ({"many": self.many} if self.many else {})

    @classmethod
    def of(cls, told: Any) -> "Sentence":
        """From JSON; raises ValueError for whatever is no sentence."""
        if not isinstance(told, dict) or not isinstance(told.get("text"), str):
            raise ValueError("not a sentence")
        fields, many = told.get("fields", {}), told.get("many", "")
        if not isinstance(fields, dict) or not isinstance(many, str) or (many and COUNT not in fields):
            raise ValueError("not a sentence")
        made = cls(told["text"], {name: _value(value) for name, value in fields.items()}, many)
        try:
            _ = str(made)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a sentence") from error
        return made


@dataclass(frozen=True)
class Plural:
    """A sentence of a table that counts: its form for one and for many; `%(num)s` is how many."""

    one: str
    many: str


class Explained(Exception):
    """An error that people read: it carries its sentence, and whoever shows it says it in the reader's language."""

    def __init__(self, sentence: Sentence):
        super().__init__(str(sentence))
        self.sentence = sentence


def N_(text: str) -> str:
    """Mark a text for the catalogues; it is looked up when it is shown."""
    return text


def sentence(text: str, /, **fields: Value) -> Sentence:
    """A sentence with its fields; `text` is marked for the catalogues."""
    return Sentence(text, fields)


def entry(of_table: str | Plural, num: int) -> Sentence:
    """An entry of a table of sentences; `num` goes into its place, if it has one."""
    if isinstance(of_table, Plural):
        return Sentence(of_table.one, {COUNT: num}, of_table.many)
    return Sentence(of_table, {COUNT: num} if f"%({COUNT})s" in of_table else {})


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError("what counts is a whole number")
    return value


def _value(told: Any) -> Value:
    return told if isinstance(told, str | int | float) else Sentence.of(told)
