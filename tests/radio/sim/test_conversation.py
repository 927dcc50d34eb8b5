"""The simulated radio says what is written in conversation.json, octet by octet, and a real one can be compared with it."""

import json

from tests.radio.sim.conversation import (
    ANOTHER,
    CLIENT,
    FILE,
    FIRMWARE,
    KNOWN,
    OURS,
    RADIO,
    differences,
    holds,
    meaning,
    script,
)
from tests.radio.sim.test_simdevice import Bench


def played():
    """The script and what the simulated radio said to it, as steps of the file."""
    bench = Bench([(OURS.number, KNOWN.number)], clients=[], firmware=FIRMWARE)
    speakers = {CLIENT: bench.devices[OURS.number], ANOTHER: bench.devices[KNOWN.number]}
    for device in speakers.values():
        device.attach()
    steps = []
    for speaker, octets, means, wait_s in script():
        steps.append({"from": speaker, "octets": octets.hex(), "means": means, "wait_s": wait_s})
        bench.told[OURS.number].clear()
        speakers[speaker].receive(octets, bench.now)
        bench.collect()
        bench.run(wait_s)
        for _, message in bench.told[OURS.number]:
            raw = message.SerializeToString()
            steps.append({"from": RADIO, "octets": f"94c3{len(raw):04x}{raw.hex()}", "means": meaning(message),
                          "holds": holds(message)})
    return steps


def test_the_simulated_radio_says_what_is_written():
    written = json.loads(FILE.read_text())
    assert written["firmware"] == FIRMWARE and len(written["steps"]) > 90
    for ours, theirs in zip(played(), written["steps"], strict=True):
        if ours.get("holds", {}).get("part") == "unknown":  # to the library of Debian 13, which is older than the firmware
            assert ours["octets"] == theirs["octets"]
        else:
            assert ours == theirs


def test_what_is_written_is_what_was_measured_on_real_firmware():
    """docs/radio.md, section 3; said once more here, so that the file is not merely what our program makes."""
    steps = json.loads(FILE.read_text())["steps"]
    said, speaker = {}, None
    for step in steps:
        if step["from"] == RADIO:
            said[speaker].append(step["holds"])
        else:
            speaker = step["means"].partition(":")[0]
            said[speaker] = []
    assert len(said["wake up; tell me how you are set up"]) == 47  # with one node less than the radio that was measured
    refusals = {"232 B": 7, "234 B": 7, "for one node whose key the radio lacks": 39, "for one node, 220 B": 7,
                "on a channel that the radio does not have": 6}
    for means, error in refusals.items():
        status, nak = said[means]
        assert (status["variant"], status["res"], nak["port"], nak["error"]) == ("queueStatus", error, 5, error), means
    assert [one["res"] for one in said["40 packets at once"] if one["variant"] == "queueStatus"][:2] == [32, 32]
    assert [one["res"] for one in said["another text, 1 s later"]] == [0]
    assert said["the same again"] == []
    assert [one for one in said["goodbye"] if one["variant"] != "rebooted"] == []
    (alone,) = [one for one in said["somebody else to us alone"] if one["port"] == 256]
    assert alone["sealed"]


def test_a_difference_is_told():
    step = {"means": "232 B"}
    assert list(differences(step, [{"res": 7}], [{"port": 67}, {"res": 7}])) == []
    assert list(differences(step, [{"res": 7}], [{"res": 0}])) == ["232 B: it did not say {'res': 7}",
                                                                    "232 B: it also said {'res': 0}"]
