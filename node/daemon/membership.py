"""What makes this island a member of its set, as engines need it."""

from dataclasses import dataclass

from node.model.keys import Charter, SigningKey
from node.replica.liveset import LiveSet
from node.sync.lora.engine import address_of


@dataclass(frozen=True)
class Membership:
    """The set's charter, the island's own key, and the records that it holds."""

    charter: Charter
    key: SigningKey
    liveset: LiveSet

    @property
    def tag_key(self) -> bytes:
        """The set's subkey for the tags of packets, 32 bytes."""
        return self.charter.subkey("tag")

    @property
    def address(self) -> int:
        """The 16 bits by which neighbours tell this island apart."""
        return address_of(self.key.key_id, self.tag_key)
