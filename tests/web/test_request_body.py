"""What a request may bring is bounded as a whole, whatever its route, its fields and its encoding."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from web.request_body import FIELDS_BESIDE_A_FILE, MAX_FIELDS, MAX_FORM_BYTES

ROUTES = ("/courier", "/post", "/keeper/login", "/lan")
MULTIPART = "multipart/form-data; boundary=b"
FORM = "application/x-www-form-urlencoded"
LARGE = 16_000_000
SMALL_FIELDS = b"a=&" * (MAX_FORM_BYTES // 3)
ROOT = Path(__file__).parent.parent.parent


class Endless:
    """A body of no declared length, as one that comes in chunks: `size` bytes, never all in memory."""

    def __init__(self, size):
        self.left = size

    def read(self, size=-1):
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        return b"A" * size


def peak_of(action):
    """What `action` gave, and how many bytes more than before Python had at its top."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        return action(), tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("kind", [FORM, MULTIPART, "application/json", "x/y", ""])
def test_sixteen_million_octets_cost_next_to_nothing(portal, path, kind):
    for small in (SMALL_FIELDS, b"a=1"):  # makes what is made once: the page that refuses, and the form
        portal.post(path, data=small, content_type=FORM)
    body = Endless(LARGE)
    answer, peak = peak_of(lambda: portal.post(path, content_type=kind, environ_overrides={
        "wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}))
    assert answer.status_code in (200, 403, 413, 422), answer.status_code
    assert peak < 3_000_000
    assert body.left > LARGE - 2_000_000  # it was not read to its end


@pytest.mark.parametrize("path", ROUTES[:3])
def test_a_form_of_too_many_fields_is_refused_before_it_is_taken_apart(portal, path):
    portal.post(path, data=SMALL_FIELDS, content_type=FORM)  # makes what is made once
    answer, peak = peak_of(lambda: portal.post(path, data=SMALL_FIELDS, content_type=FORM))
    assert answer.status_code == 413 and peak < 12_000_000  # 40 when taken apart
    assert portal.post(path, data="&".join(["a=1"] * MAX_FIELDS), content_type=FORM).status_code != 413


@pytest.mark.parametrize("path", ROUTES[:3])
def test_a_part_of_thousands_of_headers_costs_little(portal, path):
    body = b"--b\r\n" + b"ab:\r\n" * (MAX_FORM_BYTES // 5 - 10) + b"\r\n"
    portal.post(path, data=body, content_type=MULTIPART)  # makes what is made once
    answer, peak = peak_of(lambda: portal.post(path, data=body, content_type=MULTIPART))
    assert answer.status_code == 413 and peak < 3_000_000


def test_the_room_for_a_file_is_for_no_field(portal):
    most = MAX_FORM_BYTES - 70_000
    for fields, size in ((FIELDS_BESIDE_A_FILE + 1, most), (60, most), (1, 2 * MAX_FORM_BYTES)):
        part = b"--b\r\nContent-Disposition: form-data; name=letters\r\n\r\n" + b"A" * size + b"\r\n"
        body = part * fields + b"--b--\r\n"
        answer, peak = peak_of(lambda body=body: portal.post("/courier", data=body, content_type=MULTIPART))
        assert answer.status_code == 413 and peak < 6_000_000, (fields, size, peak)


def test_what_is_too_long_for_a_post_comes_back_whole(portal):
    typed = "é" * 30_000
    answer = portal.post("/post", data={"kind": "bulletin", "text": typed, "action": "preview", "token": "x"})
    assert answer.status_code == 422 and typed in answer.get_data(as_text=True)


@pytest.mark.process
def test_what_threads_needed_for_a_moment_is_given_back():
    script = """
import hashlib, threading
from pathlib import Path
from node.daemon.allocator import give_memory_back
print(give_memory_back())
def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
def hashed():
    for _ in range(3):
        hashlib.scrypt(b"x", salt=b"y", n=1 << 13, r=8, p=1, dklen=16)
        b"".join([bytes(3_000_000) for _ in range(4)])
    done.wait()
done = threading.Barrier(17)
before = resident()
threads = [threading.Thread(target=hashed) for _ in range(16)]
for thread in threads: thread.start()
done.wait()
for thread in threads: thread.join()
print(resident() - before)
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    told = ran.stdout.split()
    assert told[0] == "True" and int(told[1]) < 20_000_000
