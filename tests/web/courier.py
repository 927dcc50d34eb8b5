"""A phone carries the board from one portal to another, in Chromium: `python tests/web/courier.py`."""

import logging
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from werkzeug.serving import make_server

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from sample import filled  # noqa: E402 - runs from a checkout too

from tests.portals import Neighbourhood, portal_settings  # noqa: E402
from web import create_app  # noqa: E402

PATIENCE_S = 120


def main() -> int:
    """0 if all went as it should."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("full", "empty", "phone"):
            (folder / name).mkdir()
        places = filled(folder / "full"), Neighbourhood(folder / "empty")
        apps = [create_app(place.board, portal_settings()) for place in places]
        servers = [make_server("127.0.0.1", 0, app, threaded=True) for app in apps]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        addresses = [f"http://127.0.0.1:{server.server_port}" for server in servers]
        walk = subprocess.run(["node", str(HERE / "courier.mjs"), *addresses, str(folder / "phone")], cwd=HERE,
                              timeout=PATIENCE_S, check=False)
        for server, place in zip(servers, places, strict=True):
            server.shutdown()
            place.archive.close()
        return walk.returncode


if __name__ == "__main__":
    sys.exit(main())
