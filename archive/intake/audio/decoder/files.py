"""File objects for FFmpeg on open descriptors."""

import os


class PositionedFile:
    """A file object on a descriptor, without a name and with its own position.

    From a name, FFmpeg would guess the format, and it would repeat it in errors. Several readers may share the
    descriptor: FFmpeg moves an MP4's index to the front by reading the file while it writes it.
    """

    def __init__(self, fd: int) -> None:
        self._fd, self._position = fd, 0

    def read(self, count: int) -> bytes:
        data = os.pread(self._fd, count, self._position)
        self._position += len(data)
        return data

    def write(self, data: bytes) -> int:
        count = os.pwrite(self._fd, data, self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int) -> int:
        start = (0, self._position, os.fstat(self._fd).st_size)[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position
