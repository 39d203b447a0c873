import hashlib
import io

from vis_projects.utils.hashing import BLOCK_BYTES, sha256_of


def test_hash_of_nothing_and_of_more_than_a_block():
    for content in (b"", b"x" * (BLOCK_BYTES + 3)):
        assert sha256_of(io.BytesIO(content)) == hashlib.sha256(content).hexdigest()
