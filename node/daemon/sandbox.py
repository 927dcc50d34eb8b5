"""Starts a program that can open nothing but the system's own libraries: for what takes apart what strangers wrote.

`python -I sandbox.py [--threads] PROGRAM ARGUMENTS...`: Landlock (Linux 5.13; docs.kernel.org/userspace-api/landlock.html)
and limits. Ends with 77 where the kernel knows no Landlock. It imports nothing of ours, so that it starts fast.
"""

import contextlib
import ctypes
import os
import resource
import struct
import sys

UNABLE = 77
THREADS = "--threads"  # for a program that cannot do without: the limit counts those of all its user's programs
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
ASK_VERSION, PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 1, 38
EVERYTHING, EXECUTE, READ_FILE = (1 << 13) - 1, 1 << 0, 1 << 2  # what its first version knows
CONNECTIONS, CONNECTIONS_VERSION = 3, 4
OPEN_TO_IT = {"/usr": EXECUTE | READ_FILE, "/lib": EXECUTE | READ_FILE, "/lib64": EXECUTE | READ_FILE,
              "/etc/ld.so.cache": READ_FILE}
LIMITS = {resource.RLIMIT_CPU: 20, resource.RLIMIT_AS: 200_000_000, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0,
          resource.RLIMIT_NOFILE: 16, resource.RLIMIT_NPROC: 0}


def lock_in() -> bool:
    """Give up the right to open files and connections, for good; whether the kernel does it."""
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    if version < 1:
        return False
    handled = struct.pack("=Q", EVERYTHING) + struct.pack("=Q", CONNECTIONS) * (version >= CONNECTIONS_VERSION)
    rules = kernel.syscall(CREATE_RULESET, handled, len(handled), 0)
    for path, rights in OPEN_TO_IT.items():
        if os.path.exists(path):
            beneath = struct.pack("=Qi", rights, os.open(path, os.O_PATH | os.O_CLOEXEC))
            if kernel.syscall(ADD_RULE, rules, PATH_BENEATH, beneath, 0):
                return False
    return not kernel.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) and not kernel.syscall(RESTRICT_SELF, rules, 0)


def main(program: list[str]) -> int:
    """Become the program; a number only when that cannot be."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as first_to_go:
        first_to_go.write("1000")  # where memory is short, before the island
    threads = program[0] == THREADS
    for limit, most in LIMITS.items():
        if not (threads and limit == resource.RLIMIT_NPROC):
            resource.setrlimit(limit, (most, most))
    program = program[threads:]
    if not lock_in():
        return UNABLE
    os.execve(program[0], program, {})  # noqa: S606 - the program that our own module names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
