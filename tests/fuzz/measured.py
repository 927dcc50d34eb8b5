"""How much of a parser its corpus reaches, in a process of its own: python -m tests.fuzz.measured TARGET -> JSON."""

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
    for octets in kinds.inputs(name):
        target.run(octets)
    covered.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        covered.json_report([str(kinds.ROOT / each) for each in target.files], outfile=str(path))
        files = json.loads(path.read_text())["files"]
    return {file: branches_of([each for function, each in told["functions"].items() if target.measures(file, function)])
            for file, told in files.items()}


def branches_of(functions):
    """Branches of these functions."""
    return {"branches": sum(told["summary"]["num_branches"] for told in functions),
            "taken": sum(told["summary"]["covered_branches"] for told in functions),
            "missing": [f"{at}->{to}" for told in functions for at, to in told["missing_branches"]]}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1])))
