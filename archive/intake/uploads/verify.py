"""Compare uploaded bytes with what the uploader announced: the SHA-256 of single parts, and of the whole file.

Not every store compares the checksum of a signed part with the bytes that it receives: Ceph RGW 16, OpenStack Swift and
rclone accept the header and ignore it. So only reading a part shows whether its announced checksum is right.
"""

import base64
import hashlib

from archive.errors import Refused
from archive.models import UploadSession


class AnnouncedChecksums:
    """Takes the bytes of an uploaded file in order, in pieces of any size. `check` raises Refused for wrong ones."""

    def __init__(self, upload: UploadSession) -> None:
        self.upload = upload
        self.announced = {n: sha256 for n, sha256 in upload.parts.values_list("number", "sha256") if sha256}
        self.wrong: list[int] = []
        self._whole, self._part, self._number, self._left = hashlib.sha256(), hashlib.sha256(), 1, upload.part_size

    def update(self, data: bytes) -> None:
        self._whole.update(data)
        rest = memoryview(data)
        while rest and self.announced:
            piece, rest = rest[: self._left], rest[self._left :]
            self._part.update(piece)
            self._left -= len(piece)
            if not self._left:
                self._end_part()

    def _end_part(self) -> None:
        expected = self.announced.get(self._number)
        if expected and base64.b64encode(self._part.digest()).decode() != expected:
            self.wrong.append(self._number)
        self._part, self._number, self._left = hashlib.sha256(), self._number + 1, self.upload.part_size

    def check(self) -> None:
        """Check the whole. Call after the last byte. Raises Refused, which names the parts that differ."""
        if self._left < self.upload.part_size:
            self._end_part()
        if self.wrong:
            raise Refused("upload.part_sha256_differs", file=self.upload.name, parts=self.wrong)
        actual = self._whole.hexdigest()
        if self.upload.sha256 not in ("", actual):
            raise Refused("upload.sha256_differs", file=self.upload.name, actual=actual, expected=self.upload.sha256)
