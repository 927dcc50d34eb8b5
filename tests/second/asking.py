"""The second implementation as a process: what it answers to questions, and where that differs from our own answers."""

import json
import shutil
import subprocess
from pathlib import Path

from node.model.errors import RemoteFault

PROGRAM = Path(__file__).with_name("answer.mjs")


class SecondReader:
    """One `node` process; `answers` asks it any number of questions."""

    def __init__(self):
        program = shutil.which("node")
        assert program, "Node.js is missing: type `.ci/need nodejs`, as `make test` does"
        self._process = subprocess.Popen([program, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answers(self, questions):
        """{"ok": value} or {"no": reason} for each."""
        found = []
        for question in questions:  # one after the other: neither pipe ever fills
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            assert line, f"the second implementation died of {json.dumps(question)[:2000]}"
            found.append(json.loads(line))
        return found

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def verdict(work, *arguments):
    """What ours says, in the same form."""
    try:
        return {"ok": work(*arguments)}
    except RemoteFault as fault:
        return {"no": fault.reason}


def differences(second, asked):
    """Of (question, our answer) those that are answered otherwise, as text."""
    answers = second.answers([question for question, _ in asked])
    return [f"{json.dumps(question)[:6000]}\n  ours   {json.dumps(ours)[:2000]}\n  second {json.dumps(answer)[:2000]}"
            for (question, ours), answer in zip(asked, answers, strict=True) if json.loads(json.dumps(ours)) != answer]
