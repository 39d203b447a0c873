"""Hashes of files."""

import hashlib
from typing import BinaryIO

BLOCK_BYTES = 1 << 20


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of what is left of an open binary file, as hexadecimal text; one block in memory at a time."""
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()
