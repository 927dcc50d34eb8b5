"""Text coding: exact, small, and unmoved by hostile bytes."""

import contextlib
import hashlib
import json
import pathlib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.errors import LocalMisuse, RemoteFault
from node.model.record import MAX_RECORD_BYTES
from node.textpack import CAPITALS, MODELS, RAW, model, pack, unpack
from node.textpack.model import MAX_CHARACTERS, MAX_DECISIONS
from node.textpack.rangecoder import Decoder, Encoder
from node.textpack.training.build import choose_alphabet, index_texts, index_words, texts_of

HERE = pathlib.Path(__file__).parents[1]
TRAINING = HERE.parent / "node/textpack/training"
VECTORS = json.loads((HERE / "vectors/text.json").read_text())
LANGUAGES = {1: "fr", 2: "en", 3: "es", 4: "ar"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FRENCH = "Assemblée générale samedi 14 mars à 18 h 30, salle des fêtes. Venez nombreuses et nombreux !"


def pack_with(codec, text):
    encoder = Encoder()
    model(codec).code(encoder, model(codec).alphabet.symbols(text))
    return encoder.finish()


def corpus(tag, step):
    lines = (HERE / f"corpus/{tag}.txt").read_text().splitlines()
    return [line.replace("\\n", "\n") for line in lines[::step]]


def training(folder):
    return texts_of("\n\n".join(path.read_text() for path in sorted((TRAINING / folder).glob("*.txt"))))


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.integers(0, 15))
def test_any_text_comes_back(text, language):
    assert unpack(*pack(text, language)) == text


@pytest.mark.parametrize("codec", MODELS)
@settings(max_examples=15, deadline=None)
@given(text=TEXTS)
def test_every_model_carries_any_text(codec, text):
    assert unpack(codec, pack_with(codec, text)) == text


@pytest.mark.parametrize("text", ["", "\0", "\x1f\x1f", "😀" * 9, "\U0010ffff", "1\n\n2", "\u200f\u202eأ\r\n", FRENCH])
def test_odd_texts_come_back(text):
    assert unpack(*pack(text, 1)) == text
    assert unpack(1, pack_with(1, text)) == text


def test_the_longest_text_of_one_letter_comes_back():
    text = "a" * MAX_CHARACTERS
    codec, packed = pack(text, 1)
    assert codec == 1
    assert unpack(codec, packed) == text


@pytest.mark.parametrize(("codec", "most"), [(1, 0.30), (2, 0.32), (3, 0.32), (4, 0.42)])
def test_texts_never_seen_come_back_and_are_small(codec, most):
    texts = corpus(LANGUAGES[codec], 15)
    packed = [pack(text, codec) for text in texts]
    assert [unpack(*coding) for coding in packed] == texts
    assert sum(len(coding[1]) for coding in packed) < most * sum(map(len, texts))


def test_a_text_never_takes_more_than_raw():
    for text in ("x", "漢字かな交じり文", "\U0010ffff\0\x7f"):
        assert len(pack(text, 1)[1]) <= len(text.encode())


def test_a_text_whose_language_is_given_wrong_or_not_at_all_finds_its_model():
    english = "The public meeting on Thursday is in the library, and everybody is welcome to bring a chair and a friend."
    assert pack(english, 4)[0] == 2
    assert pack(english, 0)[0] in (1, 2)
    assert len(pack(english, 0)[1]) < len(english) / 2


@pytest.mark.parametrize("text", ["RDV DEMAIN 7 H DEVANT LE DÉPÔT. APPORTEZ DU CAFÉ", "RÉUNION CE SOIR À 20 H 😀 ß"])
def test_capitals_cost_no_more_than_small_letters(text):
    codec, packed = pack(text, 1)
    assert unpack(codec, packed) == text
    assert (codec, len(packed)) == (1 + CAPITALS, len(pack_with(1, text.lower())))


def test_capitals_are_refused_in_a_text_of_capitals_and_so_is_a_text_without_letters():
    for text in ("Rdv", "18 : 30"):
        with pytest.raises(RemoteFault, match="text-packed"):
            unpack(1 + CAPITALS, pack_with(1, text))


def test_a_text_in_two_languages_takes_the_model_that_serves_it_best():
    english = "The meeting is on Thursday in the library. Everybody is welcome, bring a chair and something to eat."
    arabic = corpus("ar", 1)[0] * 3
    assert pack(f"{english} {arabic}", 2)[0] == 4


def test_a_text_too_long_for_a_model_stays_raw():
    text = "la " * MAX_CHARACTERS
    assert pack(text, 1) == (RAW, text.encode())


def test_a_lone_surrogate_is_the_callers_mistake():
    with pytest.raises(LocalMisuse):
        pack("\ud800", 1)


@pytest.mark.parametrize("codec", [codec for codec in range(16) if codec > 2 * len(MODELS)])
def test_an_unknown_codec_is_refused(codec):
    with pytest.raises(RemoteFault, match="text-codec"):
        unpack(codec, b"abc")


@pytest.mark.parametrize("codec", MODELS)
def test_bytes_after_the_end_are_refused_or_another_text(codec):
    packed = pack_with(codec, FRENCH)
    with pytest.raises(RemoteFault, match="text-packed"):
        unpack(codec, packed + b"\0")
    for tail in (b"\1", b"\0\0\1", b"and more"):
        with contextlib.suppress(RemoteFault):
            assert unpack(codec, packed + tail) != FRENCH


@pytest.mark.parametrize("codec", MODELS)
@settings(max_examples=25, deadline=None)
@given(packed=st.binary(max_size=16))
def test_whatever_is_accepted_packs_to_the_same_bytes(codec, packed):
    with contextlib.suppress(RemoteFault):
        assert pack_with(codec, unpack(codec, packed)) == packed


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_gives_another_text_or_is_refused(at, change):
    packed = bytearray(pack_with(1, FRENCH))
    packed[at % len(packed)] ^= change
    with contextlib.suppress(RemoteFault):
        assert unpack(1, bytes(packed)) != FRENCH


class CountingDecoder(Decoder):
    """Counts decisions, and fails rather than go on for ever."""

    asked = 0

    def decide(self, chance, yes=None):
        self.asked += 1
        assert self.asked <= MAX_DECISIONS
        return super().decide(chance, yes)


@pytest.mark.parametrize("fill", [b"\0", b"\x7f", b"\xff", b"\x55\xaa"])
def test_the_worst_bytes_of_a_record_give_a_bounded_text_or_a_refusal(fill):
    with contextlib.suppress(RemoteFault):
        assert len(model(1).code(CountingDecoder((fill * MAX_RECORD_BYTES)[:MAX_RECORD_BYTES]))) <= MAX_CHARACTERS + 1


def test_the_dearest_text_takes_as_many_decisions_as_are_allowed():
    dearest = max(VECTORS["good"], key=lambda example: len(example["packed"]))
    decoder = CountingDecoder(bytes.fromhex(dearest["packed"]))
    model(1).code(decoder)
    assert decoder.asked == MAX_DECISIONS


def test_a_text_that_would_take_more_is_coded_otherwise():
    text = max((example["text"] for example in VECTORS["good"]), key=len) + "<*<"
    codec, packed = pack(text, 1)
    assert codec != 1
    assert unpack(codec, packed) == text


@pytest.mark.parametrize("codec", MODELS)
def test_a_long_text_in_a_models_language_is_far_from_the_bounds(codec):
    text = " ".join(corpus(LANGUAGES[codec], 1))[: MAX_CHARACTERS // 8]
    decoder = CountingDecoder(pack_with(codec, text))
    model(codec).code(decoder)
    assert decoder.asked < 0.75 * MAX_DECISIONS / 8


@pytest.mark.parametrize("example", VECTORS["good"], ids=lambda example: example["text"][:12])
def test_the_vectors_hold(example):
    packed = bytes.fromhex(example["packed"])
    assert unpack(example["codec"], packed) == example["text"]
    if example["codec"] in MODELS:
        assert pack_with(example["codec"], example["text"]) == packed
    else:
        assert pack(example["text"], 1) == (example["codec"], packed)


@pytest.mark.parametrize("example", VECTORS["bad"], ids=lambda example: example["what"])
def test_what_the_vectors_refuse_is_refused(example):
    with pytest.raises(RemoteFault, match=example["reason"]):
        unpack(example["codec"], bytes.fromhex(example["packed"]))


@pytest.mark.parametrize("codec", MODELS)
def test_a_model_is_the_file_it_was_when_it_was_frozen(codec):
    file = (files("node.textpack") / "models" / MODELS[codec].file).read_bytes()
    assert hashlib.blake2b(file, digest_size=16).hexdigest() == MODELS[codec].blake2b == VECTORS["models"][str(codec)]


@pytest.mark.parametrize("codec", [2, 3, 4])
def test_a_models_counts_are_those_of_its_training_texts(codec):
    tag, frozen = LANGUAGES[codec], model(codec)
    texts = training(tag)
    alphabet = choose_alphabet(texts)
    words = (TRAINING / f"words/{tag}.txt").read_text().split()
    assert alphabet.characters == frozen.alphabet.characters
    assert index_texts(texts, alphabet).column == frozen.indexes[0].column
    assert index_words(words, alphabet).column == frozen.indexes[2].column


def test_no_held_out_text_is_in_the_training():
    for tag in LANGUAGES.values():
        assert not set(corpus(tag, 1)) & set(training(tag))


@given(st.lists(st.tuples(st.integers(1, 65_535), st.booleans()), max_size=80))
def test_decisions_come_back_in_no_more_than_they_are_worth(decisions):
    encoder = Encoder()
    for chance, yes in decisions:
        encoder.decide(chance, yes)
    packed = encoder.finish()
    decoder = Decoder(packed)
    assert [decoder.decide(chance) for chance, _ in decisions] == [yes for _, yes in decisions]
    decoder.finish()
    worth = sum(16 - (chance if yes else 65_536 - chance).bit_length() + 1 for chance, yes in decisions)
    assert 8 * len(packed) <= worth + 16
