"""The vectors of bundles, letters and the local network hold: who writes another program can check it against them."""

import json
from pathlib import Path

from node.model.keys import Charter
from node.transfer.bundle import Bundle, Header, write
from node.transfer.lan import ANSWERED, ASKED, Envelope
from node.transfer.paper import code_of, letters_of, record_in

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "carry.json").read_text(encoding="utf-8"))


def charter():
    told = VECTORS["charter"]
    founders = [bytes.fromhex(public) for public in told["founders"]]
    return Charter.found(told["name"], founders, bytes.fromhex(told["secret"]))


def test_the_bundle_is_written_and_read_as_it_stands():
    told = VECTORS["bundle"]
    raws, whole = [bytes.fromhex(raw) for raw in told["records"]], bytes.fromhex(told["bytes"])
    header = Header(charter().set_id, bytes.fromhex(told["island"]), told["made"], told["name"])
    assert b"".join(write(header, raws)) == whole
    bundle = Bundle([whole])
    assert bundle.header == header and list(bundle) == raws and not bundle.faults


def test_the_letters_and_the_code_are_those_of_the_record():
    told = VECTORS["letters"]
    raw = bytes.fromhex(told["record"])
    assert letters_of(raw) == told["typed"] and code_of(raw) == told["code"]
    assert record_in(told["typed"]) == raw == record_in(told["code"])


def test_the_messages_of_the_local_network_open():
    told = {name: bytes.fromhex(value) for name, value in VECTORS["lan"].items()}
    envelope = Envelope(charter().subkey("lan"), lambda size: told["salt"])
    assert envelope.close(ASKED, told["asked"]) == told["message"]
    assert envelope.open(ASKED, told["message"]) == told["asked"]
    assert envelope.open(ANSWERED, told["answer"], told["salt"]) == told["answered"]
