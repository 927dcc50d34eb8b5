"""Plant faults and see that tests notice: python -m tests.mutants [ID or SUBJECT ...] [--sample N --seed S]

Without --sample: the list in `faults/`. With it: N small mutations of the core, chosen by the seed (`sampled.py`). A line
for each, at the end the sum as JSON. Exit code 1: something went unnoticed, or does not fit the code any more.
"""

import argparse
import ast
import json
import sys
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path

from tests.mutants import sampled
from tests.mutants.planted import faults
from tests.mutants.tree import changed, copy_into
from tests.mutants.trial import FINE, Trials


def chosen(names):
    """The faults named, by id or subject; all if none is."""
    every = faults()
    unknown = set(names) - {fault.id for fault in every} - {fault.subject for fault in every}
    if unknown:
        sys.exit(f"there is no such fault and no such subject: {', '.join(sorted(unknown))}")
    return [fault for fault in every if not names or fault.id in names or fault.subject in names]


def planted_one_by_one(tree, trials, wanted):
    """What became of each: (subject, id, what to say, whether it was noticed)."""
    together = dict.fromkeys(test for fault in wanted for test in fault.tests)
    all_pass = trials.run(together, plain=True)["code"] == FINE  # else it is looked at for each set of tests
    passes = cache(lambda tests: all_pass or trials.run(tests, plain=True)["code"] == FINE)
    for fault in wanted:
        path = tree / fault.file
        try:
            text = fault.planted(path.read_text(encoding="utf-8"))
            if path.suffix == ".py":
                ast.parse(text)  # else whatever reads it would notice
        except (OSError, ValueError, SyntaxError) as error:
            yield fault, str(error), False
            continue
        if not passes(fault.tests):
            yield fault, "its tests fail, or are gone, without it", False
            continue
        with changed(path, text):
            result = trials.run(fault.tests)
        noticed = result["code"] != FINE
        yield fault, f"{result['took_s']:5.1f} s  {result['noticed']}" if noticed else f"UNNOTICED: {fault.harm}", noticed


def plant(tree, trials, names):
    """The list; whether all of it was noticed."""
    started, by_subject, missed = time.monotonic(), {}, []
    for fault, said, noticed in planted_one_by_one(tree, trials, chosen(names)):
        print(f"{'ok  ' if noticed else '----'} {fault.subject}/{fault.id}  {said}", flush=True)
        by_subject[fault.subject] = by_subject.get(fault.subject, 0) + 1
        missed += [] if noticed else [fault.id]
    print(json.dumps({"planted": sum(by_subject.values()), "by_subject": by_subject, "unnoticed": missed,
                      "took_s": round(time.monotonic() - started)}))
    return not missed


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="ID", help="faults of the list, by id or subject")
    parser.add_argument("--sample", type=int, metavar="N", help="so many small mutations of the core instead")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--touched", type=Path, help="where it stands, or shall be kept, which test runs which line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="archipel-mutants-") as folder:
        copy_into(Path(folder))
        table = sampled.table_for(Path(folder), arguments.touched) if arguments.sample else None
        with closing(Trials(Path(folder))) as trials:
            if table:
                good = sampled.sample(Path(folder), trials, table, arguments.sample, arguments.seed)
            else:
                good = plant(Path(folder), trials, arguments.names)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
