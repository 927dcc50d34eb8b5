"""Makes docs/claims.md of docs/claims.toml: `python -m tests.claims`. What is promised, how far it is shown, and by what."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROMISES, PAGE = ROOT / "docs/claims.toml", ROOT / "docs/claims.md"
SHOWN = {"lab": "in the suite", "qemu": "in QEMU", "firmware": "on real firmware", "hardware": "on hardware", "no": "not shown"}

HEAD = """# What is promised, and what holds it

Made from [claims.toml](claims.toml) by `python -m tests.claims`. Each promise that somebody may rely on, where it is said, how far it is shown, and the tests
that hold it. **{shown}**. Nothing has been tried on a real Raspberry Pi with a real radio so far. *In the suite*: by tests
and programs on one machine, with simulated air, cards and clocks that keep their promises, and real browsers, brokers and web servers. *In QEMU*: the built card, started in an
emulator (`make image-test`, an hour and a half, by hand). *On real firmware*: Meshtastic's, built for Linux.

A test is named by its file and its function, which is a sentence about what it holds; its source is `tests/FOLDER/test_FILE.py`. A name that ends in `.py` is a program that is run by hand
or by `make prove` and `make bench`; `file::*` is the whole file. CI fails when one that is named is gone, or when a row of [threats.md](threats.md) has no claim.
"""


def claims():
    """(group, claim) of each, in order."""
    return [(group["name"], claim) for group in tomllib.loads(PROMISES.read_text(encoding="utf-8"))["group"]
            for claim in group["claim"]]


def page():
    """The text of claims.md."""
    every = claims()
    count = {how: sum(claim["shown"] == how for _, claim in every) for how in SHOWN}
    told = ", ".join(f"{number} {SHOWN[how]}" for how, number in count.items() if number)
    lines, group = [HEAD.format(shown=f"{len(every)} claims: {told}")], ""
    for number, (its, claim) in enumerate(every, 1):
        if its != group:
            group = its
            lines.append(f"## {group}\n\n| | promise | shown | by |\n|---|---|---|---|")
        lines.append(_row(number, claim))
        if number == len(every) or every[number][0] != group:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _row(number, claim):
    where = ", ".join(f"[{Path(each).name}]({Path(each).relative_to('docs') if each.startswith('docs/') else '../' + each})"
                      for each in claim["where"])
    parts = [f"{claim['says']} ({where})"]
    shown = [SHOWN[claim["shown"]]]
    shown += [f"figure: {claim['figure']}"] if "figure" in claim else []
    shown += [f"**not shown**: {claim['lacks']}"] if "lacks" in claim else []
    tests = ", ".join(f"`{each}`" for each in claim["tests"]) or "nothing"
    return f"| {number} | {' '.join(parts)} | {'. '.join(shown)} | {tests} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
