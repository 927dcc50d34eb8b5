"""Makes docs/claims.md of docs/claims.toml: `python -m tests.claims`. What is promised, how far it is shown, by what."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROMISES, PAGE = ROOT / "docs/claims.toml", ROOT / "docs/claims.md"
SHOWN = {"lab": "in the suite", "qemu": "in QEMU", "firmware": "on real firmware", "hardware": "on hardware",
         "no": "not shown"}

HEAD = """# What is promised, and what holds it

Each promise that somebody may rely on, where it is said, how far it is shown, and the tests that hold it.
**{shown}.** Nothing has been tried on a real Raspberry Pi with a real radio so far.

- *In the suite*: by tests and programs on one machine (`make test`, `make prove`, `make bench`, `make test-web`), with
  simulated air, cards and clocks that keep their promises, and real browsers, brokers and web servers.
- *In QEMU*: the built card, started in an emulator (`make image-test`, an hour and a half, by hand).
- *On real firmware*: Meshtastic's, built for Linux.

A test is told by its file and its sentence: `store/faults`, "nothing acknowledged is lost wherever the power goes" is the
function of that name in the file of that name under `tests/`. What an English guide says the French one says too.

Made from [claims.toml](claims.toml) by `python -m tests.claims`. CI fails when a test that is named is gone, and when a
row of [threats.md](threats.md) has no claim.
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
    lines, group = [HEAD.format(shown=f"{len(every)} promises: {told}")], ""
    for number, (its, claim) in enumerate(every, 1):
        lines += [f"## {its}\n"] if its != group else []
        group = its
        lines.append(_told(number, claim))
    return "\n".join(lines)


def _told(number, claim):
    """One of them: a line that says it, one that says how far it is shown, and the tests."""
    shown = SHOWN[claim["shown"]]
    lines = [f"**{number}. {claim['says']}** {shown[0].upper()}{shown[1:]}."]
    lines += [f"Figure: {claim['figure']}."] if "figure" in claim else []
    lines += [f"Not shown: {claim['lacks']}."] if "lacks" in claim else []
    lines += [f"Against: {claim['threat']}."] if "threat" in claim else []
    lines.append(f"Said in {', '.join(map(_linked, claim['where']))}.")
    return "\n".join([*lines, "", *map(_test, claim["tests"]), *([""] if claim["tests"] else [])])


def _linked(path):
    shown, _, _ = Path(path).name.partition(".md")
    return f"[{shown}]({path.removeprefix('docs/') if path.startswith('docs/') else '../' + path})"


def _test(named):
    if named.startswith("make "):
        return f"- `{named}`"
    if named.endswith(".py"):
        return f"- `tests/{named}`"
    file, _, name = named.partition("::")
    return f"- `{file}`: {'all of it' if name == '*' else name.replace('_', ' ')}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
