"""One box under load: nginx with the SD image's own configuration, `archipel run` behind it, a radio, a broker."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from meshtastic.protobuf import mesh_pb2

from node.board.api import TOPICS
from node.daemon import rpc
from node.daemon.keyfiles import KeyFolder
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right, Vouch, encode, sign
from node.textpack import pack
from tests.mosquitto import Mosquitto
from tests.ports import free_ports
from tests.radio.puppet import Puppet
from tests.waiting import until

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "image-build"))

from tests.image.front import written  # noqa: E402 - it needs that path

START_S = 120
TICKS_S = os.sysconf("SC_CLK_TCK")
AUTHORS = 40  # a quota holds 1,024 posts of one
SETTINGS = """[node]
name = "Place des Fêtes"
data = "{folder}/data"
language = "fr"
[portal]
listen = "127.0.0.1:{back}"
behind_front = true
[radio]
connect = "tcp:127.0.0.1:{radio}"
[mqtt]
broker = "{broker}"
[lan]
discover = false
"""


class Radio(Puppet):
    """A radio that takes whatever it is given, and says so."""

    def _take(self, message):
        super()._take(message)
        if message.HasField("packet") or message.HasField("heartbeat"):
            self.say(queueStatus=mesh_pb2.QueueStatus(res=0, free=16, maxlen=16, mesh_packet_id=message.packet.id))

    def deliver(self, payload, number):
        """A packet of another radio arrives."""
        packet = mesh_pb2.MeshPacket(id=1 + number, to=0xFFFFFFFF, rx_snr=5.0, rx_rssi=-80, hop_start=3, hop_limit=3,
                                     decoded=mesh_pb2.Data(portnum=256, payload=payload, bitfield=1))
        setattr(packet, "from", 77)
        self.say(packet=packet)


class Process:
    """What a process and its children use."""

    def __init__(self, pid):
        self.pid = pid

    @property
    def family(self):
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, task.read_text().split())
        return found

    @property
    def cpu_s(self):
        """Of all that live now."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.family]
        return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS_S

    @property
    def rss_mb(self):
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.family]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def descriptors(self):
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.family)

    @property
    def threads(self):
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self.family)


class Box:
    """A box that runs. `make(count)` gives signed records by authors that its set has let in."""

    def __init__(self, folder, port, island, nginx, radio, broker):
        self.folder, self.port, self.island, self.nginx = folder, port, Process(island.pid), Process(nginx.pid)
        self.radio, self.broker, self._made = radio, broker, 0
        keys = KeyFolder(folder / "data")
        self.charter, self._founder = keys.charter(), keys.island_key()
        self._authors = [SigningKey((5_000 + number).to_bytes(32, "big")) for number in range(AUTHORS)]

    def vouches(self):
        """The records that let its authors in."""
        minute = minute_of(time.time())
        return [self._signed(self._founder, Record(Kind.VOUCH, self._founder.key_id, minute, 9_000, packed=b"Une voisine",
                                                   detail=Vouch(one.public, Right.WRITE))) for one in self._authors]

    def make(self, count):
        """So many bulletins, each another one."""
        minute, made = minute_of(time.time()), []
        for number in range(self._made, self._made + count):
            codec, packed = pack(f"Annonce {number} : distribution de légumes samedi à dix heures, apportez des sacs.")
            author = self._authors[number % AUTHORS]
            made.append(self._signed(author, Record(
                Kind.BULLETIN, author.key_id, minute - number % 60, 24 * 14, language=1, topic=number % len(TOPICS),
                codec=codec, packed=packed)))
        self._made += count
        return made

    def _signed(self, author, record):
        return encode(sign(record, self.charter.set_id, author.sign))

    def ask(self, do, **request):
        """The island's own answer (`node.daemon.rpc`)."""
        return rpc.ask(self.folder / "data", do, **request)

    @property
    def records(self):
        return self.ask("status")["records"]

    def request(self, method, path, body=None, headers=None, client="127.0.0.1"):
        """One request through nginx: status, header fields, body."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120, source_address=(client, 0))
        try:
            line.request(method, path, body, {"Host": "archipel.lan", "Accept-Language": "fr"} | (headers or {}))
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            line.close()

    def usage(self):
        """Seconds of processor so far, of the island and nginx together."""
        return self.island.cpu_s + self.nginx.cpu_s


@contextmanager
def box(folder):
    """A Box."""
    ports, back, radio = free_ports(2), free_ports(), Radio()
    (folder / "broker").mkdir()
    broker = Mosquitto(folder / "broker", "max_queued_messages 5000").start()
    (folder / "front").mkdir()
    conf = written(folder / "front", {"http": ports, "https": ports + 1}, back)
    settings = folder / "archipel.toml"
    settings.write_text(SETTINGS.format(folder=folder, back=back, radio=radio.port, broker=broker.url))
    KeyFolder(folder / "data").found("Belleville", "Place des Fêtes")
    with ExitStack() as open_:
        open_.callback(broker.stop)
        open_.callback(radio.close)
        log = open_.enter_context((folder / "island.log").open("wb"))
        island = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(settings)], cwd=ROOT, stdout=log,
                                  stderr=log)
        open_.callback(ended, island)
        nginx = subprocess.Popen(["nginx", "-e", str(folder / "nginx.log"), "-c", str(conf)])
        open_.callback(ended, nginx)
        made = Box(folder, ports, island, nginx, radio, broker)
        until(lambda: _runs(made), START_S)
        yield made


def _runs(made):
    try:
        links = made.ask("status")["links"]
        return all(link["up"] for link in links) and made.request("GET", "/")[0] == 200
    except (OSError, rpc.NotRunning, rpc.Refused, http.client.HTTPException):
        return False


def ended(process):
    """It is told to end, and ends."""
    process.terminate()
    process.wait(60)


def faults(folder):
    """What the island's log has of its own failures."""
    return re.findall(r"Traceback|failed at", (folder / "island.log").read_text(errors="replace"))


def tell(name, told, wrong):
    """Print what was measured as the last line; 1 if something is wrong."""
    print(json.dumps({"load": name} | told | {"wrong": wrong}), flush=True)
    return 1 if wrong else 0


def share(values, part):
    """The value below which that part of all lies."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]
