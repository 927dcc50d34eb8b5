"""The little of the GDB remote serial protocol that lets a kernel in QEMU crash."""

import re
import socket
import time

PC_AT, CPSR_AT = 32 * 8, 33 * 8  # where two of an ARM64 processor's registers begin among all, octets
KERNEL_MODE, MODE, INTERRUPTS_OFF = 0b0101, 0b1111, 0x80


def in_system_call(registers: str) -> bool:
    """Whether the processor runs the kernel and lets itself be interrupted, by its registers as gdb gives them."""
    state = int.from_bytes(bytes.fromhex(registers)[CPSR_AT:CPSR_AT + 4], "little")
    return state & MODE == KERNEL_MODE and not state & INTERRUPTS_OFF


class GdbRemote:
    """Packets of the GDB remote serial protocol: `$CONTENT#SUM`, each acknowledged with a `+`."""

    def __init__(self, peer: socket.socket):
        self._peer = peer
        self._heard = b""

    def ask(self, content: str) -> str:
        """Send a packet; the answer. That the machine has stopped (`T`) is said unasked, and passed over."""
        self._send(content)
        while (told := self._answer()).startswith("T"):
            pass
        return told

    def crash_kernel(self) -> None:
        """Let the kernel run into an address where nothing is, in the midst of a system call of some process: an oops."""
        while not in_system_call(registers := self.ask("g")):
            self.run_for(0.05)
        if self.ask("G" + registers[:2 * PC_AT] + bytes(8).hex() + registers[2 * (PC_AT + 8):]) != "OK":
            raise ConnectionError("QEMU's gdb server sets no registers")
        self.ask("D")

    def run_for(self, seconds: float) -> None:
        """Let the machine run on, and stop it again."""
        self._send("c")
        time.sleep(seconds)
        self._peer.sendall(b"\x03")
        self._answer()

    def _send(self, content: str) -> None:
        self._peer.sendall(f"${content}#{sum(content.encode()) % 256:02x}".encode())

    def _answer(self) -> str:
        while not (whole := re.search(rb"\$([^#]*)#..", self._heard)):
            heard = self._peer.recv(4096)
            if not heard:
                raise ConnectionResetError("QEMU's gdb server went away")
            self._heard += heard
        self._heard = self._heard[whole.end():]
        self._peer.sendall(b"+")
        return whole[1].decode()
