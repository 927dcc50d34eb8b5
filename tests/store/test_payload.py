"""What a line says comes back as it was."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.store.payload import UNFIT, payload_of, tables_of

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=3)
NAMES = st.text(max_size=5)
DOCUMENTS = st.none() | st.dictionaries(NAMES.filter(lambda name: name != "raw"), JSON, max_size=3) | st.fixed_dictionaries(
    {"raw": st.binary()}, optional={"n": st.integers()})


@given(tables=st.dictionaries(NAMES, st.dictionaries(NAMES, DOCUMENTS, max_size=4), max_size=3))
def test_what_was_written_comes_back(tables):
    assert tables_of(payload_of(tables)) == tables


def test_a_payload_is_as_the_documentation_has_it():
    tables = {"records": {"00ff": {"raw": b"\0\t\n", "kind": 0}, "11ee": None, "22dd": {"raw": b"x"}}}
    assert payload_of(tables) == b'{"records":{"00ff":{"raw":3,"kind":0},"11ee":null,"22dd":{"raw":1}}}\t\0\t\nx'
    assert payload_of({"notes": {"a": {"value": "\t"}}}) == rb'{"notes":{"a":{"value":"\t"}}}'


def test_what_is_not_json_cannot_be_written():
    for wrong in ({"raw": "text"}, {"other": b"bytes"}, {"a": {1, 2}}):
        with pytest.raises(TypeError):
            payload_of({"t": {"i": wrong}})


STRANGE = [
    b'{"a":{"b":{"raw":3}}}', b'{"a":{"b":{"raw":3}}}\tab', b'{"a":{}}\tabc', b'{"a":1}', b'{"a":{"b":7}}', b"[" * 9999,
    b"{}x", b"",
]


@given(payload=st.binary() | st.sampled_from(STRANGE))
def test_a_strange_payload_is_refused_in_one_of_the_known_ways(payload):
    tables = None
    with suppress(UNFIT):
        tables = tables_of(payload)
    assert tables is None or isinstance(tables, dict)
