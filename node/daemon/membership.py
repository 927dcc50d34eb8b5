"""What makes this island a member of its set, as engines need it."""

from dataclasses import dataclass, field, replace
from random import Random

from node.model.keys import Charter, SigningKey
from node.replica.generations import Generation
from node.replica.liveset import LiveSet
from node.sync.lora.context import Former, Identity, address_of


@dataclass(frozen=True)
class Membership:
    """The set's charter, the island's own key, and the records that it holds.

    `formers`: earlier generations of the set's secret, whose speakers are to be led to the charter's. `rng`: chance, for
    when to send, which is no secret.
    """

    charter: Charter
    key: SigningKey
    liveset: LiveSet
    formers: tuple[Generation, ...] = ()
    rng: Random = field(default_factory=Random, compare=False)

    @property
    def identity(self) -> Identity:
        """Who it is on the air, and who it was."""
        tag_key = self.charter.subkey("tag")
        formers = ((replace(self.charter, secret=one.secret).subkey("tag"), one.founder) for one in self.formers)
        return Identity(tag_key, address_of(self.key.key_id, tag_key), tuple(
            Former(key, address_of(self.key.key_id, key), founder) for key, founder in formers))
