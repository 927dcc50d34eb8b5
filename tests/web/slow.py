"""Slow visitors do not hold the portal, with nginx before it as on the Pi, and alone: `python tests/web/slow.py`.

200 connections from four addresses send one octet a second, half of them within their headers, half within a form;
meanwhile a page must come within a second. A line of JSON for each: {"front", "worst_s", "calm_s" (before them), "pages"}.
"""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from multiprocessing import Process
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from node.cli.serve import PortalServer  # noqa: E402 - runs from a checkout too
from node.daemon.keyfiles import KeyFolder  # noqa: E402
from tests.ports import free_ports  # noqa: E402
from tests.sim.portals import Neighbourhood, portal_settings  # noqa: E402
from web import create_app  # noqa: E402

SLOW, SECONDS, LIMIT_S, START_S = 200, 8, 1.0, 90
FRONT = """worker_processes 1; pid {folder}/nginx.pid; daemon off; events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; client_header_timeout 10s; client_body_timeout 10s; send_timeout 10s;
client_body_buffer_size 256k; server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://127.0.0.1:{back};
proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; }} }} }}"""
PAGE = b"GET / HTTP/1.1\r\nHost: archipel.lan\r\nConnection: close\r\n\r\n"
UNFINISHED = (b"GET / HTTP/1.1\r\nHost: archipel.lan\r\nX-Slow: ",
              b"POST /post HTTP/1.1\r\nHost: archipel.lan\r\nContent-Length: 1000\r\n\r\n")


def serve(port: int, folder: Path) -> None:
    def build():
        return create_app(Neighbourhood(folder).board, portal_settings())

    sys.argv = ["archipel"]
    PortalServer(f"127.0.0.1:{port}", build, lambda: None).run()


def page_s(port: int) -> float:
    """Seconds until the page was whole."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(PAGE)
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    assert b" 200 " in answer[:20], answer[:100]
    return time.monotonic() - begun


@contextmanager
def portal_behind_nginx(folder: Path):
    """The port of the front."""
    back, front = free_ports(), free_ports()
    server = Process(target=serve, args=(back, folder))
    server.start()
    (folder / "nginx.conf").write_text(FRONT.format(folder=folder, front=front, back=back))
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    try:
        until = time.monotonic() + START_S
        while not (answers(back) and answers(front)):
            assert time.monotonic() < until, "the portal did not start"
            time.sleep(0.2)
        yield front
    finally:
        nginx.terminate()
        nginx.wait(10)
        server.terminate()
        server.join(10)


@contextmanager
def portal_alone(folder: Path):
    """The port of `archipel run`, with no web server before it."""
    port = free_ports()
    (folder / "archipel.toml").write_text(
        f'[node]\ndata = "{folder}/island"\n\n[portal]\nlisten = "127.0.0.1:{port}"\n\n[radio]\nconnect = "none"\n\n'
        "[lan]\ndiscover = false\n")
    KeyFolder(folder / "island").found("Belleville", "Île")
    island = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(folder / "archipel.toml")], cwd=ROOT)
    try:
        until = time.monotonic() + START_S
        while not answers(port):
            assert time.monotonic() < until, "the island did not start"
            time.sleep(0.2)
        yield port
    finally:
        island.terminate()
        island.wait(30)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def measure(front: str, portal) -> bool:
    """Whether no page took longer than a second, or than twice what it took before on a machine with much else to do."""
    with tempfile.TemporaryDirectory() as scratch, portal(Path(scratch)) as port:
        page_s(port)
        calm_s = max(page_s(port) for _ in range(3 * SECONDS))
        slow = [socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.1.{number % 4}", 0))
                for number in range(SLOW)]
        for number, line in enumerate(slow):
            line.sendall(UNFINISHED[number // 4 % 2])
        times = []
        for _second in range(SECONDS):
            for line in slow:
                with contextlib.suppress(ConnectionError):  # it was cut off
                    line.sendall(b"a")
            times += [page_s(port) for _ in range(3)]
            time.sleep(1)
        for line in slow:
            line.close()
    print(json.dumps({"front": front, "worst_s": round(max(times), 3), "calm_s": round(calm_s, 3), "pages": len(times)}))
    return max(times) < max(LIMIT_S, 2 * calm_s)


def main() -> int:
    """0 when both ways are quick enough."""
    return 0 if all([measure("nginx", portal_behind_nginx), measure("none", portal_alone)]) else 1


if __name__ == "__main__":
    sys.exit(main())
