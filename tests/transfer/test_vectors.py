"""The vectors of bundles, letters and the local network hold: who writes another program can check it against them."""

import json
from pathlib import Path

import pytest

from node.model.errors import RemoteFault
from node.model.keys import Charter
from node.model.record import record_id
from node.sync.lora.context import address_of
from node.sync.mqtt.sealing import Seal
from node.transfer.bundle import Bundle, Header, write
from node.transfer.lan import ANSWERED, ASKED, Envelope
from node.transfer.paper import code_of, codes_of, letters_of, record_in, records_in

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


def test_records_that_share_a_code_stand_one_after_the_other_in_it():
    told = VECTORS["codes of many"]
    raws = [bytes.fromhex(raw) for raw in told["records"]]
    assert codes_of(raws, told["longest"]) == told["codes"] and len(raws) == 2
    assert records_in("\n".join(told["codes"])) == (raws, 0)


@pytest.mark.parametrize("told", VECTORS["damaged bundles"], ids=lambda told: told["name"])
def test_of_a_damaged_bundle_what_is_good_is_kept_and_what_is_not_is_told(told):
    bundle = Bundle([bytes.fromhex(told["bytes"])])
    assert [raw.hex() for raw in bundle] == told["records"]
    assert {fault: number for fault, number in bundle.faults.items() if number} == told["faults"]


@pytest.mark.parametrize("told", VECTORS["refused bundles"], ids=lambda told: told["name"])
def test_what_is_no_bundle_is_refused_for_its_reason(told):
    with pytest.raises(RemoteFault) as caught:
        list(Bundle([bytes.fromhex(told["bytes"])]))
    assert caught.value.reason == told["reason"]


def test_letters_with_a_wrong_check_are_refused():
    refused = VECTORS["letters"]["refused"]
    for typed in refused:
        with pytest.raises(RemoteFault, match="letters"):
            record_in(typed)
    assert len(refused) == 4


def test_addresses_and_topics_are_as_written():
    keys, told = VECTORS["keys"], VECTORS["mqtt"]
    key = charter().subkey("tag")
    addresses = {name: address_of(bytes.fromhex(pair["key_id"]), key) for name, pair in keys.items()}
    assert VECTORS["addresses"] == {name: f"{address:04x}" for name, address in addresses.items()}
    slot = Seal(charter()).slot(record_id(bytes.fromhex(told["record"]))).hex()
    assert told["topic"] == f"{told['root']}/{slot[0]}/{slot}"
    assert told["root"] == "archipel/" + charter().subkey("root").hex()[:20]


def test_a_trade_on_the_local_network_opens_and_what_is_altered_does_not():
    told = VECTORS["lan trade"]
    envelope = Envelope(charter().subkey("lan"), lambda size: bytes(size))
    salt = bytes.fromhex(told["salt"])
    assert envelope.open(ASKED, bytes.fromhex(told["message"])).hex() == told["asked"]
    assert envelope.open(ANSWERED, bytes.fromhex(told["answer"]), salt).hex() == told["answered"]
    for vector in told["refused"]:
        with pytest.raises(RemoteFault) as fault:
            envelope.open(ASKED, bytes.fromhex(vector["message"]))
        assert fault.value.reason == vector["reason"]
    assert len(told["refused"]) == 3


def test_the_messages_of_the_local_network_open():
    told = {name: bytes.fromhex(value) for name, value in VECTORS["lan"].items()}
    envelope = Envelope(charter().subkey("lan"), lambda size: told["salt"])
    assert envelope.close(ASKED, told["asked"]) == told["message"]
    assert envelope.open(ASKED, told["message"]) == told["asked"]
    assert envelope.open(ANSWERED, told["answer"], told["salt"]) == told["answered"]
