"""Bytes per character of our text coder beside zlib, zstd and brotli, on texts that none of them has seen.

`text.py [--corpus FILE] [--language TAG]`: one text per line in UTF-8, newlines written as \\n; empty lines do not count.
zlib gets a preset dictionary and zstd a trained one, both from the training texts of our own model. Prints one line per
coder with the bytes per character in each length class (the nearest of 100, 300, 600 characters; null if there is none)
and the CPU time per text; the last line is JSON.
"""

import argparse
import codecs
import json
import pathlib
import sys
import time
import zlib
from collections import defaultdict

import brotli
import zstandard

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from node import textpack  # noqa: E402 - runs from a checkout too

LANGUAGES = {"fr": 1, "en": 2, "es": 3, "ar": 4}
CLASSES = (100, 300, 600)
ZLIB_DICTIONARY_BYTES, ZSTD_DICTIONARY_BYTES = 32_768, 110_000


def training_texts(tag):
    folder = ROOT / "node/textpack/training" / tag
    return [text.encode() for path in sorted(folder.glob("*.txt")) for text in path.read_text().split("\n\n")]


def zlib_coder(training):
    dictionary = b"\n".join(training)[-ZLIB_DICTIONARY_BYTES:]

    def size(text):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
        return len(packer.compress(text) + packer.flush())

    return size


def zstd_coder(training):
    trained = zstandard.train_dictionary(ZSTD_DICTIONARY_BYTES, training, level=19)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        19, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_checksum=0, write_content_size=0, write_dict_id=0)
    packer = zstandard.ZstdCompressor(dict_data=trained, compression_params=parameters)
    return lambda text: len(packer.compress(text))


def coders(tag):
    training = training_texts(tag)
    return {
        "raw": len,
        "zlib": zlib_coder(training),
        "zstd": zstd_coder(training),
        "brotli": lambda text: len(brotli.compress(text, quality=11, lgwin=16, mode=brotli.MODE_TEXT)),
        "ours": lambda text: len(textpack.pack(text.decode(), LANGUAGES[tag])[1]),
    }


def texts_in(corpus):
    """The texts of a file, and a sentence about the lines that are none."""
    texts, bad = [], []
    for number, line in enumerate(corpus.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        try:
            texts.append(line.removesuffix(b"\r").decode().replace("\\n", "\n"))
        except UnicodeDecodeError:
            bad.append(number)
    told = f"{corpus}: left out what is not UTF-8, {len(bad)} of its lines, the first is line {bad[0]}" if bad else ""
    return [text for text in texts if text], told


def measure(texts, size_of):
    sizes, characters = defaultdict(int), defaultdict(int)
    for text in texts:
        length = min(CLASSES, key=lambda size: abs(size - len(text)))
        sizes[length] += size_of(text.encode())
        characters[length] += len(text)
    return {str(length): round(sizes[length] / characters[length], 4) if characters[length] else None for length in CLASSES}


def timed(texts, work):
    """What `work(text)` gave for the texts together, and the CPU time it took, in ms a text."""
    started = time.process_time()
    return work(texts), round(1000 * (time.process_time() - started) / len(texts), 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--language", choices=LANGUAGES, default="fr")
    options = parser.parse_args()
    corpus = options.corpus or ROOT / f"tests/corpus/{options.language}.txt"
    try:
        texts, told = texts_in(corpus)
    except OSError as error:
        sys.exit(f"{corpus} cannot be read: {error.strerror}")
    if told:
        print(told, file=sys.stderr)
    if not texts:
        sys.exit(f"{corpus} has no text")
    found = {}
    for name, size_of in coders(options.language).items():
        size_of(b"warm up")
        found[name], ms = timed(texts, lambda texts, size_of=size_of: measure(texts, size_of))
        ratios = [f"  {length}: {ratio:.3f}" for length, ratio in found[name].items() if ratio is not None]
        print(f"{name:7}{''.join(ratios)}   {ms:.2f} ms a text")
    packed = [textpack.pack(text, LANGUAGES[options.language]) for text in texts]
    _, unpack_ms = timed(packed, lambda packed: [textpack.unpack(*coding) for coding in packed])
    print(f"ours, unpacked:   {unpack_ms:.2f} ms a text")
    print(json.dumps({"bytes_per_char": found, "ms_per_text": ms}))


if __name__ == "__main__":
    main()
