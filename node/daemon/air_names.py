"""Which island an address on the air belongs to, by what the vouches of the set call it. Safe from any thread."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from node.board.api import Author
from node.board.items import Reader
from node.board.status import HostStatus, LinkStatus
from node.daemon.lora import neighbour_name
from node.replica.liveset import LiveSet
from node.replica.trust import Trust
from node.sync.lora.context import address_of


class AirNames:
    """`tag_key`: the set's subkey for tags. Two keys of one address leave it without a name; so does a name that cannot be
    read. Only names of those heard are ever decoded."""

    def __init__(self, liveset: LiveSet, reader: Reader, tag_key: bytes):
        self._liveset, self._reader, self._tag_key = liveset, reader, tag_key
        self._keys: tuple[Trust | None, Mapping[str, bytes]] = (None, {})
        self._named: tuple[HostStatus, Trust, HostStatus] | None = None

    def named(self, host: HostStatus) -> HostStatus:
        """The same status with the names of islands beside their addresses."""
        trust, known = self._liveset.trust, self._named
        if known is None or known[0] is not host or known[1] is not trust:
            links = tuple(self._with_names(link, self._by_address(trust)) for link in host.links)
            known = self._named = host, trust, replace(host, links=links)
        return known[2]

    def _by_address(self, trust: Trust) -> Mapping[str, bytes]:
        if self._keys[0] is not trust:
            keys = [(neighbour_name(address_of(key_id, self._tag_key)), key_id) for key_id in trust.standings]
            count = Counter(address for address, _ in keys)
            self._keys = trust, {address: key_id for address, key_id in keys if count[address] == 1}
        return self._keys[1]

    def _with_names(self, link: LinkStatus, keys: Mapping[str, bytes]) -> LinkStatus:
        if link.neighbours is None:
            return link
        heard = ({one.name for one in link.neighbours} | {one.name for one in link.packets or ()}) & keys.keys()
        names = {address: self._name(keys[address]) for address in heard}
        return replace(
            link, neighbours=tuple(replace(one, island=names.get(one.name, "")) for one in link.neighbours),
            packets=tuple(replace(one, island=names.get(one.name, "")) for one in link.packets or ()))

    def _name(self, key_id: bytes) -> str:
        author: Author = self._reader.author(key_id)
        return "" if author.name == author.key_id else author.name
