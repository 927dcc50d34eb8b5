"""Bytes per character of our text coder beside zlib, zstd and brotli, on texts that none of them has seen.

`text.py [--corpus FILE] [--language TAG]`: one text per line, newlines written as \\n. zlib gets a preset dictionary and
zstd a trained one, both from the training texts of our own model. Prints one line per length class (the nearest of 100,
300, 600 characters); the last line is JSON.
"""

import argparse
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


def measure(texts, size_of):
    sizes, characters = defaultdict(int), defaultdict(int)
    for text in texts:
        length = min(CLASSES, key=lambda size: abs(size - len(text)))
        sizes[length] += size_of(text.encode())
        characters[length] += len(text)
    return {str(length): round(sizes[length] / characters[length], 4) for length in CLASSES if characters[length]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--language", choices=LANGUAGES, default="fr")
    options = parser.parse_args()
    corpus = options.corpus or ROOT / f"tests/corpus/{options.language}.txt"
    texts = [line.replace("\\n", "\n") for line in corpus.read_text(encoding="utf-8").splitlines() if line]
    found = {}
    for name, size_of in coders(options.language).items():
        size_of(b"warm up")
        started = time.perf_counter()
        found[name] = measure(texts, size_of)
        ms = 1000 * (time.perf_counter() - started) / len(texts)
        print(f"{name:7}" + "".join(f"  {length}: {ratio:.3f}" for length, ratio in found[name].items())
              + f"   {ms:.2f} ms a text")
    print(json.dumps({"bytes_per_char": found, "ms_per_text": round(ms, 2)}))


if __name__ == "__main__":
    main()
