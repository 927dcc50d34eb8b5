"""What belongs to the set, at size: admission, loading, floods, memory. `liveset.py [--records N] [--authors N]`.

The baseline does the least an honest island can do: check every signature and put records in a dictionary. Times are CPU
time of this process; the last line is JSON.
"""

import argparse
import json
import pathlib
import sys
import time
import tracemalloc

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from node.model.keys import verify  # noqa: E402 - runs from a checkout too
from node.model.record import decode, record_id, signed_part, signing_message  # noqa: E402
from node.replica.liveset import LiveSet  # noqa: E402
from tests.sim.village import KEEPER, NOW, Village, at  # noqa: E402

SPREAD_MIN = 5_000
THEN = at(SPREAD_MIN)


def cpu_ms(work, times=1):
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1000


class Plain:
    """The baseline: verify, keep."""

    def __init__(self, village):
        self.publics = {pair.key_id: pair.public for pair in village.keys.values()}
        self.set_id, self.records = village.charter.set_id, {}

    def take(self, raw):
        record = decode(raw)
        if verify(self.publics[record.author], record.signature, signing_message(signed_part(record), self.set_id)):
            self.records[record_id(raw)] = record


def neighbourhood(authors, records):
    village = Village()
    credentials = [village.vouch("founder", f"keeper {n}", KEEPER) for n in range(min(authors, 20))]
    credentials += [village.vouch(f"keeper {n % 20}", f"island {n}") for n in range(authors)]
    texts = [f"annonce {n} " + "x" * 140 for n in range(records)]
    return village, credentials, [village.bulletin(f"island {n % authors}", text, minute=n % SPREAD_MIN, life=2_000)
                             for n, text in enumerate(texts)]


def one_by_one(liveset, raws):
    for raw in raws:
        liveset.apply(liveset.propose([raw], THEN))


def memory_bytes(village, raws):
    liveset = LiveSet(village.charter)
    tracemalloc.start()
    liveset.load(raws, THEN)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken


def flood_of(village, number):
    template = village.bulletin()
    return [template[:3] + n.to_bytes(8, "big") + template[11:] for n in range(1, number + 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--authors", type=int, default=40)
    options = parser.parse_args()
    village, credentials, posts = neighbourhood(options.authors, options.records)
    liveset, sample = LiveSet(village.charter), posts[:500]
    load_ms = cpu_ms(lambda: liveset.load(credentials + posts, THEN))
    new = [village.bulletin(f"island {n % options.authors}", f"neuf {n}", SPREAD_MIN, 2_000) for n in range(300)]
    plain = Plain(village)
    flood, flooded = flood_of(village, 10_000), LiveSet(village.charter)
    result = {
        "records": len(liveset),
        "ours": {
            "load_ms": load_ms,
            "admit_ms": cpu_ms(lambda: one_by_one(liveset, new)) / len(new),
            "vouch_ms": cpu_ms(lambda: one_by_one(liveset, [village.vouch("founder", "newcomer")])),
            "ids_ms": cpu_ms(liveset.ids, 20),
            "bytes_per_record": memory_bytes(village, credentials + posts) / len(liveset),
            "stranger_ms": cpu_ms(lambda: flooded.apply(flooded.propose(flood, NOW))) / len(flood),
        },
        "verify_all": {
            "load_ms": cpu_ms(lambda: [plain.take(raw) for raw in sample]) / len(sample) * len(posts),
            "admit_ms": cpu_ms(lambda: [plain.take(raw) for raw in new]) / len(new),
        },
    }
    for name, figures in (("ours", result["ours"]), ("verify all", result["verify_all"])):
        print(f"{name:12}", "  ".join(f"{what} {figure:.3f}" for what, figure in figures.items()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
