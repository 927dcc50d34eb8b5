"""The list of faults: `faults/SUBJECT.toml`, a table for each, named by what is wrong.

`old` is text that stands once in `file`, and `new` what takes its place. `harm` is what it would do to people. `tests` are
those that notice it, by file or by name: as few as it takes, in seconds.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FAULTS = Path(__file__).parent / "faults"


@dataclass(frozen=True)
class Fault:
    """One mistake, and who notices it."""

    id: str
    subject: str
    file: str
    old: str
    new: str
    harm: str
    tests: tuple[str, ...]

    def planted(self, text: str) -> str:
        """The text of its file with the fault; raises ValueError if the place is not there, or is there twice."""
        if text.count(self.old) != 1:
            raise ValueError(f"its old text stands {text.count(self.old)} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def faults() -> list[Fault]:
    """All of them, by subject."""
    return [Fault(id_, path.stem, told.pop("file"), told.pop("old"), told.pop("new"), told.pop("harm"),
                  tuple(told.pop("tests")), **told)
            for path in sorted(FAULTS.glob("*.toml"))
            for id_, told in tomllib.loads(path.read_text(encoding="utf-8")).items()]
