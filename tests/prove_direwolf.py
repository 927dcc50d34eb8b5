"""Packet radio through real modems: python -m tests.prove_direwolf (Debian package direwolf; ports 18801, 18802).

One direwolf makes sound of what the first link sends, another hears that sound (through a file that ALSA writes) and gives
it to the second link: KISS, AX.25, bit stuffing, FCS and AFSK as they are, at 1,200 bits a second and in real time.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from radio.kiss.link import KissLink, KissSettings
from tests.waiting import until

SOUND = 'pcm.air {{ type file slave.pcm null file "{air}" format raw }}\npcm.null {{ type null }}\n'
MODEM = "ADEVICE {sound}\nARATE 44100\nCHANNEL 0\nMYCALL {call}\nMODEM 1200\nAGWPORT 0\nKISSPORT {port}\n"
SIZES = (1, 20, 100, 188, 231, 256)


def modem(folder, name, sound, port):
    """The command that starts one."""
    path = folder / f"{name}.conf"
    path.write_text(MODEM.format(sound=sound, call=f"F4ABC-{port % 10}", port=port))
    return ["direwolf", "-t", "0", "-c", str(path)]


def main():
    """Send packets of several sizes; print one JSON object as the last line."""
    assert shutil.which("direwolf"), "install direwolf"
    with ExitStack() as undo:
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory()))
        air = folder / "air"
        os.mkfifo(air)
        (folder / "asound.conf").write_text(SOUND.format(air=air))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        from_air = ["sh", "-c", 'exec "$@" - < "$0"', str(air)]
        hears = subprocess.Popen([*from_air, *modem(folder, "b", "stdin null", 18802)], **quiet)
        undo.callback(hears.kill)
        sends = subprocess.Popen(modem(folder, "a", "null air", 18801), **quiet,
                                 env=os.environ | {"ALSA_CONFIG_PATH": str(folder / "asound.conf")})
        undo.callback(sends.kill)
        links = [KissLink(KissSettings(f"tcp:127.0.0.1:{port}", f"F4ABC-{port % 10}")) for port in (18801, 18802)]
        for link in links:
            undo.callback(link.close)
        until(lambda: all(link.up for link in links), 30)
        print(json.dumps({"seconds": {size: passed(*links, size) for size in SIZES}, "estimate": {
            size: round(links[0].settings.airtime_s(size), 2) for size in SIZES}}))


def passed(here, there, size):
    """Send one packet and hear it; the seconds that took."""
    payload, begin = bytes(range(256))[:size], time.monotonic()
    here.send(payload)
    received = there.receive(10)
    assert received is not None and received.payload == payload, f"{size} bytes were not heard"
    return round(time.monotonic() - begin, 2)


if __name__ == "__main__":
    main()
