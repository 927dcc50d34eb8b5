"""A command line typed at islands in processes of their own."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner

from node.cli.main import main
from node.daemon import rpc
from node.daemon.keyfiles import KeyFolder
from tests.ports import free_ports
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


def write_config(folder, name):
    """A settings file for an island in `folder`."""
    path = folder / "archipel.toml"
    path.write_text(f'[node]\nname = "{name}"\ndata = "{folder / "data"}"\n[radio]\nconnect = "none"\n'
                    f'[portal]\nlisten = "127.0.0.1:{free_ports()}"\n', encoding="utf-8")
    return path


def archipel(*arguments, typed=""):
    """Its exit code and all it said."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)
    return done.exit_code, done.output


@contextmanager
def running(config, *options):
    """A real `archipel run` on `config`, which belongs to a set; its settings file."""
    keys = KeyFolder(config.parent / "data")
    if not keys.charter_exists():
        keys.found("Place des Fêtes", "Place des Fêtes")
    process = subprocess.Popen([sys.executable, "-m", "node", "run", "--config", str(config), *options], cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ)
    try:
        wait_for(config.parent / "data", process)
        yield config
    finally:
        process.terminate()
        output = process.communicate(timeout=PATIENCE_S)[0]
        assert "Traceback" not in output, output


def wait_for(folder, process):
    """Until the island that `process` runs answers."""
    def answers():
        assert process.poll() is None, "the island did not start: " + process.stdout.read()
        try:
            return rpc.ask(folder, "status")
        except rpc.NotRunning:
            return None

    until(answers)
