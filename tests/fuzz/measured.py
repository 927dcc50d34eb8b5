"""How much of a parser its corpus reaches, in a process of its own: python -m tests.fuzz.measured TARGET -> JSON."""

import json
import sys
import tempfile
from pathlib import Path

import coverage

from tests.fuzz import kinds


def measured(name):
    """{file: {"branches": n, "taken": n, "missing": ["12->14", ...], "beside": n}}, `beside` of what is not measured."""
    covered = coverage.Coverage(branch=True, data_file=None, include=[str(kinds.ROOT / part / "*") for part in (
        "node", "radio", "web", "image-build")])
    covered.start()
    target = kinds.target(name)
    for octets in kinds.inputs(name):
        target.run(octets)
    covered.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        covered.json_report([str(kinds.ROOT / each) for each in target.reads], outfile=str(path))
        files = json.loads(path.read_text())["files"]
    return {file: branches_of(told["functions"], target.let_off) for file, told in files.items()}


def branches_of(functions, beside):
    """Branches of all functions but those let off."""
    counted = [told for name, told in functions.items() if name.split(".<locals>")[0] not in beside]
    return {"branches": sum(told["summary"]["num_branches"] for told in counted),
            "taken": sum(told["summary"]["covered_branches"] for told in counted),
            "missing": [f"{at}->{to}" for told in counted for at, to in told["missing_branches"]],
            "beside": sum(told["summary"]["num_branches"] for name, told in functions.items()
                          if name.split(".<locals>")[0] in beside)}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1])))
