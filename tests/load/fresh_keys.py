"""Ten thousand fresh keys: python -m tests.load.fresh_keys [--keys 10000]

Each signs a post and a vouch for the next one, and they come by air, from the broker and in bulk; then one keeper who is
let in vouches for all of them. Nobody new may be let in by strangers, the quarantine and all else stay small, members'
posts go on being taken in; of the keeper's vouches as many count as its quota has room for. Processor time for a
stranger's record is told beside that for a member's.
"""

import argparse
import json
import sys
import time
import tracemalloc
from collections import Counter

from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right, Vouch, encode, record_id, sign
from node.replica.quota import LIMITS, Category
from node.sync.events import PacketReceived
from node.sync.lora import packets
from node.sync.lora.packets import Packet, Whole
from node.sync.mqtt.sealing import Seal
from tests.load.hostile import BROKER, Target
from tests.sim.archipelago import CHARTER, LINK, START
from tests.sim.archipelago import KEY as FOUNDER

TAG_KEY = CHARTER.subkey("tag")
EVERY = 50  # strangers between two posts of a member
MOST_TIMES_MEMBER = 2.0
MOST_BYTES = 8_000_000
"""Set by what may be remembered: 1,000 records in quarantine, 8,192 refused ids, 512 keys that were let in and some hundred
posts of members: 6.2 MB with 10,000 keys, 7.5 MB with 20,000 (and twice the members' posts)."""
MOST_GROWN_BYTES = 2_500_000  # ids that were refused of late are remembered: 8,192 that came in bulk, some 150 B each
BATCH = 200


def key_of(number):
    """The key of a stranger."""
    return SigningKey((1 << 200 | number).to_bytes(32, "big"))


def signed(key, kind, text, **fields):
    """A record's encoding."""
    record = Record(kind, key.key_id, minute_of(START) - 5, fields.pop("life", 24 * 7), packed=text.encode(), **fields)
    return encode(sign(record, CHARTER.set_id, key.sign))


def vouch(by, whom, rights=Right.WRITE):
    """One lets another in."""
    return signed(by, Kind.VOUCH, "n", life=9_000, detail=Vouch(whom.public, rights))


def take_in(target, number, raw):
    """A record comes, by the ways in turn."""
    match number % 3:
        case 0:
            payload = packets.encode(Packet(0x6000 + number % 999, number // 3 % 256, (Whole(raw, True),)), TAG_KEY)
            target.take(PacketReceived(LINK, payload, "!2", 0))
        case 1:
            slot = SEAL.slot(record_id(raw))
            target.take(PacketReceived(BROKER, slot + SEAL.close(slot, raw)))
        case 2:
            target.bulk.unload([raw], "bundle")
    target.now += 1


SEAL = Seal(CHARTER)


def measure(count):
    """What became of them."""
    target, keeper = Target(), key_of(count + 1)
    target.replica.take_in([vouch(FOUNDER, keeper, Right.WRITE | Right.VOUCH)], "test", target.now)
    held, spent_s, times, posts, memory = len(target.liveset), Counter(), Counter(), [], []
    tracemalloc.start()
    for number in range(count):
        key, after = key_of(number), key_of(number + 1)
        raws = [("stranger", signed(key, Kind.BULLETIN, f"inconnu {number}")), ("stranger", vouch(key, after))]
        if number % EVERY == 0:
            posts.append(signed(keeper, Kind.BULLETIN, f"membre {number}"))
            raws.append(("member", posts[-1]))
        for turn, (who, raw) in enumerate(raws):
            begun = time.process_time()
            take_in(target, number + turn, raw)
            spent_s[who] += time.process_time() - begun
            times[who] += 1
        if number % max(count // 8, 1) == 0:
            memory.append(tracemalloc.get_traced_memory()[0])
    strangers_kept = len(target.liveset) - held - len(posts)
    verdicts, vouched_s = Counter(), 0.0
    for at in range(0, count, BATCH):
        vouches = [vouch(keeper, key_of(number)) for number in range(at, min(at + BATCH, count))]
        begun = time.process_time()
        verdicts.update(target.bulk.unload(vouches, "bundle"))
        vouched_s += time.process_time() - begun
    memory.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    let_in = sum(target.liveset.trust.public(key_of(number).key_id) is not None for number in range(count))
    return {"keys": count, "strangers_kept": strangers_kept, "members_posts": len(posts),
            "members_kept": sum(record_id(raw) in target.liveset for raw in posts), "let_in_by_one_keeper": let_in,
            "vouches": dict(verdicts), "records": len(target.liveset), "mb": [round(one / 1e6, 2) for one in memory],
            "grown_bytes": max(memory[2:-1], default=0) - memory[min(2, len(memory) - 1)], "top_bytes": max(memory),
            "cpu_ms": {who: round(1000 * spent_s[who] / times[who], 3) for who in times},
            "cpu_a_vouch_ms": round(1000 * vouched_s / count, 3)}


def faults_of(told):
    """What is wrong with that."""
    wrong = ["strangers let somebody in"] if told["strangers_kept"] else []
    wrong += ["a member's post was not taken"] if told["members_kept"] != told["members_posts"] else []
    wrong += ["one keeper let in more than fit"] if told["let_in_by_one_keeper"] > LIMITS[Category.VOUCHES].records else []
    wrong += ["nobody was let in"] if not told["let_in_by_one_keeper"] else []
    wrong += ["memory grew"] if told["grown_bytes"] > MOST_GROWN_BYTES or told["top_bytes"] > MOST_BYTES else []
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=10_000)
    options = parser.parse_args()
    told = measure(options.keys)
    wrong = faults_of(told)
    wrong += (["a stranger costs more than twice a member"]
              if told["cpu_ms"]["stranger"] > MOST_TIMES_MEMBER * told["cpu_ms"]["member"] else [])
    print(json.dumps({"load": "fresh_keys"} | told | {"wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
