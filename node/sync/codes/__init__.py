"""Codes: sketches and filters that compare sets, pieces that rebuild a record. Bytes in, bytes out."""
