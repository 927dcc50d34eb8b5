"""How much of a parser its corpus and seeds reach, in its own process: python -m tests.fuzz.measured TARGET -> JSON."""

import json
import sys
import tempfile
from pathlib import Path

import coverage

from tests.fuzz import kinds


def measured(name):
    """{file: {"branches": n, "taken": n, "missing": ["12->14", ...]}} of the functions that count."""
    covered = coverage.Coverage(branch=True, data_file=None, include=[str(kinds.ROOT / part / "*") for part in (
        "node", "radio", "web", "image-build")])
    covered.start()
    target = kinds.target(name)
    for octets in dict.fromkeys([*kinds.inputs(name), *target.seeds()]):
        target.run(octets)
    covered.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        covered.json_report([str(kinds.ROOT / each) for each in target.files], outfile=str(path))
        files = json.loads(path.read_text())["files"]
    return {file: branches_of([each for function, each in told["functions"].items() if target.measures(file, function)],
                              lines_aside(target, file)) for file, told in files.items()}


def branches_of(functions, aside):
    """Branches of these functions, without those of lines that are put aside."""
    missing = [(at, to) for told in functions for at, to in told["missing_branches"]]
    left = [f"{at}->{to}" for at, to in missing if at not in aside]
    return {"branches": sum(told["summary"]["num_branches"] for told in functions) - len(missing) + len(left),
            "taken": sum(told["summary"]["covered_branches"] for told in functions), "missing": left}


def lines_aside(target, file):
    """The numbers of the lines that are put aside."""
    beginnings = tuple(text for texts in target.aside.values() for text in texts)
    lines = (kinds.ROOT / file).read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if beginnings and line.strip().startswith(beginnings)}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1])))
