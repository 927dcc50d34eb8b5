"""What carrying costs beside the obvious ways: python -m tests.bench.carry

A bundle of 1,000 usual records beside the same in JSON and in a ZIP of files; importing 10,000; two islands with 10,000 and
none trading on one network, beside a bundle sent whole each minute; a 4 GB file and a million tiny records. CPU seconds of
this process, bytes, peak of traced memory.
"""

import base64
import io
import json
import random
import time
import tracemalloc
import zipfile
from itertools import repeat

from node.model.record import record_id
from node.textpack import pack
from node.transfer.bulk import load_bundle, unload_bundle
from node.transfer.bundle import END_BYTES, Bundle, Header, write
from node.transfer.lan import LanService
from tests.sim.village import Village
from tests.transfer.test_bulk import Shore

GIGABYTES = 4
TEXT = ("Distribution de légumes à l’école du canal, samedi à partir de 15 h : apportez des sacs, et de quoi écrire. "
        "On cherche aussi une remorque et deux paires de bras pour ranger après, merci de prévenir au local avant. "
        "En cas de pluie, sous le préau. Numéro ")


def usual(village, count):
    """Bulletins of some 300 characters by ten authors, and their vouches."""
    for who in range(10):
        yield village.vouch("founder", f"writer {who}")
    codec, packed = pack(TEXT)
    for number in range(count):  # nobody reads them here: three octets make each another one
        differing = packed + number.to_bytes(3, "big")
        yield village.sign(f"writer {number % 10}", 0, number // 10, 2_000, codec=codec, packed=differing)


def spent(work):
    """(result, CPU seconds)."""
    begin = time.process_time()
    result = work()
    return result, round(time.process_time() - begin, 2)


def sizes(raws):
    """Bytes of 1,000 records as a bundle and otherwise."""
    header = Header(bytes(16), bytes(8), 0)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for raw in raws:
            archive.writestr(record_id(raw).hex(), raw)
    as_json = json.dumps([base64.b64encode(raw).decode() for raw in raws])
    return {"bundle_bytes": sum(map(len, write(header, raws))), "records_bytes": sum(map(len, raws)),
            "json_bytes": len(as_json), "zip_bytes": len(zipped.getvalue())}


def network(full, empty, village):
    """What two islands say to each other: the first visit, one when equal, one when one record is new."""
    secret, carried = village.charter.subkey("lan"), []
    asks, answers = (LanService(shore.bulk, secret, random.Random(seed).randbytes)
                     for seed, shore in enumerate((empty, full)))

    def post(message):
        answer = answers.answer(message)
        carried.append(len(message) + len(answer))
        return answer

    told = {}
    for name in ("all", "equal", "one"):
        carried.clear()
        _, cpu_s = spent(lambda: asks.visit(post))
        told[name] = {"cpu_s": cpu_s, "bytes": sum(carried), "questions": len(carried)}
        if name == "equal":
            full.hold(village.bulletin("writer 1", "tout neuf", minute=2_000, life=2_000))
    assert full.ids == empty.ids
    return told


def hostile():
    """Files made to exhaust: CPU and peak memory."""
    header = Header(bytes(16), bytes(8), 0)
    head = b"".join(write(header, []))[:-END_BYTES]
    frames = b"".join(write(header, [b"x" * 9] * 4_096))[len(head):-END_BYTES]
    fillings = {"zeros": bytes(1 << 16), "marks": b"\xa7R" * (1 << 15), "tiny records": frames}
    told = {}
    for name, block in fillings.items():
        tracemalloc.start()
        bundle = Bundle([head, *repeat(block, GIGABYTES * (1 << 30) // len(block))])
        count, cpu_s = spent(lambda bundle=bundle: sum(1 for _ in bundle))
        told[name] = {"cpu_s": cpu_s, "records": count, "faults": dict(+bundle.faults),
                      "peak_bytes": tracemalloc.get_traced_memory()[1]}
        tracemalloc.stop()
    return told


def main():
    """Measure, and print one JSON object as the last line."""
    village = Village()
    raws = list(usual(village, 10_000))
    full, empty, other = Shore(village), Shore(village, "writer 1"), Shore(village, "writer 2")
    for shore in (full, empty, other):
        shore.minute = 3_000
    full.hold(*raws[:10])
    for at in range(10, len(raws), 200):
        full.hold(*raws[at:at + 200])
    bundle, export_s = spent(lambda: b"".join(load_bundle(full.bulk)))
    _, import_s = spent(lambda: unload_bundle(other.bulk, [bundle]))
    again, again_s = spent(lambda: unload_bundle(other.bulk, [bundle]))
    assert other.ids == full.ids and again.known == len(full.ids)
    figures = {"live": len(full.ids), "bundle_bytes": len(bundle), "export_cpu_s": export_s, "import_cpu_s": import_s,
               "again_cpu_s": again_s}
    told = {"1000": sizes(raws[10:1_010]), "10000": figures, "network": network(full, empty, village), "hostile": hostile()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
