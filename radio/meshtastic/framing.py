"""The framing of Meshtastic's serial and TCP streams: 0x94 0xC3, length in 16 bits, big-endian, message (512 B at most)."""

START = b"\x94\xc3"
MAX_MESSAGE_BYTES = 512
HEADER_BYTES = 4


def framed(message: bytes) -> bytes:
    """One message as it goes over the stream."""
    return START + len(message).to_bytes(2, "big") + message


class Deframer:
    """Finds messages in a stream whatever else is in it: wake-up bytes, log lines, garbage, half a message."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """The messages that `received` completes."""
        self._rest += received
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        while True:
            at = self._rest.find(START)
            if at < 0:
                del self._rest[: len(self._rest) - self._rest.endswith(START[:1])]
                return None
            del self._rest[:at]
            length = int.from_bytes(self._rest[2:HEADER_BYTES], "big")
            if length <= MAX_MESSAGE_BYTES:
                break
            del self._rest[: len(START)]  # no real message is that long: look on behind it
        if len(self._rest) < HEADER_BYTES + length:
            return None
        message = bytes(self._rest[HEADER_BYTES : HEADER_BYTES + length])
        del self._rest[: HEADER_BYTES + length]
        return message
