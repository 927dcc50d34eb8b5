"""Text coding: exact, small, and unmoved by hostile bytes."""

import contextlib
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import LocalMisuse, RemoteFault
from node.textpack import MODELS, RAW, model, pack, unpack
from node.textpack.model import MAX_CHARACTERS
from node.textpack.rangecoder import Encoder

CORPUS = pathlib.Path(__file__).parent / "corpus"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
FRENCH = "Assemblée générale samedi 14 mars à 18 h 30, salle des fêtes. Venez nombreuses et nombreux !"


def pack_with(codec, text):
    encoder = Encoder()
    model(codec).code(encoder, model(codec).alphabet.symbols(text))
    return encoder.finish()


def corpus(tag, count):
    lines = (CORPUS / f"{tag}.txt").read_text().splitlines()
    return [line.replace("\\n", "\n") for line in lines[:: max(len(lines) // count, 1)]]


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(0, 4))
def test_any_text_comes_back(text, language):
    assert unpack(*pack(text, language)) == text


@pytest.mark.parametrize("codec", MODELS)
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
def test_every_model_carries_any_text(codec, text):
    assert unpack(codec, pack_with(codec, text)) == text


@pytest.mark.parametrize("text", ["", "\0", "\x1f\x1f", "😀" * 9, "A" * MAX_CHARACTERS, "\U0010ffff", "1\n\n2", FRENCH])
def test_odd_texts_come_back(text):
    assert unpack(*pack(text, 1)) == text


def test_real_texts_come_back_and_are_small():
    for text in corpus("fr", 12):
        codec, packed = pack(text, 1)
        assert unpack(codec, packed) == text
        assert len(packed) < 0.6 * len(text.encode())


def test_a_text_never_takes_more_than_raw():
    for text in ("x", "漢字かな交じり文", "\U0010ffff\0\x7f"):
        assert len(pack(text, 1)[1]) <= len(text.encode())


def test_a_text_too_long_for_a_model_stays_raw():
    text = "la " * MAX_CHARACTERS
    assert pack(text, 1) == (RAW, text.encode())


def test_a_lone_surrogate_is_the_callers_mistake():
    with pytest.raises(LocalMisuse):
        pack("\ud800", 1)


@pytest.mark.parametrize("codec", [codec for codec in range(16) if codec not in (RAW, *MODELS)])
def test_an_unknown_codec_is_refused(codec):
    with pytest.raises(RemoteFault, match="text-codec"):
        unpack(codec, b"abc")


def test_raw_bytes_that_are_not_utf8_are_refused():
    with pytest.raises(RemoteFault, match="text-utf8"):
        unpack(RAW, b"\xff")


@pytest.mark.parametrize("codec", MODELS)
def test_bytes_after_the_end_are_refused(codec):
    packed = pack_with(codec, FRENCH)
    for tail in (b"\0", b"\1", b"\0\0\0\0\0", b"and more"):
        with pytest.raises(RemoteFault):
            unpack(codec, packed + tail)


@pytest.mark.parametrize("codec", MODELS)
@settings(max_examples=60, deadline=None)
@given(packed=st.binary(max_size=24))
def test_whatever_is_accepted_packs_to_the_same_bytes(codec, packed):
    try:
        text = unpack(codec, packed)
    except RemoteFault:
        return
    assert pack_with(codec, text) == packed


@pytest.mark.parametrize("codec", MODELS)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_gives_another_text_or_is_refused(codec, at, change):
    packed = bytearray(pack_with(codec, FRENCH))
    packed[at % len(packed)] ^= change
    with contextlib.suppress(RemoteFault):
        assert unpack(codec, bytes(packed)) != FRENCH
