"""Whole lines out of the files that dumps come in: plain text, zstd, gzip, bzip2 or xz, however large or damaged.

Nothing here knows what a comment is. A file is opened by its first bytes rather than by its name, decoded a little at a
time and handed on as batches of whole lines, so memory stays flat whatever the size of the file.
"""

import bz2
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

# Older Reddit months are written with a window of 2 GiB, which a plain zstd decoder refuses.
LARGEST_WINDOW = 2**31
# Reddit stops comments at 10,000 characters: a longer line than this is no comment, and we need not hold it whole.
LONGEST_LINE = 1 << 20
BATCH = 1 << 16  # decoded bytes handed on at a time: few enough to stay in the processor's cache while they are parsed
COMPRESSED_PIECE = 1 << 13  # small, because eight kilobytes can grow a thousandfold when decoded


class UnreadableFile(ValueError):
    """The file holds nothing we can read; the message says what to do."""


class DamagedFile(ValueError):
    """The file breaks off or turns to noise on the way; whatever came before it has been handed on."""


class Format(NamedTuple):
    """A way to compress: its name, the bytes its files begin with, and a function that makes a decoder of one stream."""

    name: str
    suffix: str
    magic: bytes
    decoder: Callable


FORMATS = (
    Format(
        "zstd",
        ".zst",
        b"\x28\xb5\x2f\xfd",
        lambda: zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj(),
    ),
    Format("gzip", ".gz", b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),
    Format("bzip2", ".bz2", b"BZh", bz2.BZ2Decompressor),
    Format("xz", ".xz", b"\xfd7zXZ\x00", lzma.LZMADecompressor),
)
# zstd files may also begin with a frame that decoders skip; parallel compressors write one.
SKIPPABLE = tuple(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))


def decoded(path: str | os.PathLike) -> Iterator[bytes]:
    """Yield the decoded bytes of a file, piece by piece.

    Raises UnreadableFile when the file is empty or not what its name says, DamagedFile when it breaks off on the way
    (after everything before the damage was yielded), FileNotFoundError when it is missing.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        if not start:
            raise UnreadableFile(f"{path.name} is empty (0 bytes): the download did not finish; fetch it again")
        format = _recognize(path.name, start)
        if format is None:
            while piece := file.read(BATCH):
                yield piece
        else:
            yield from _decompressed(file, format, path.name)


def line_batches(pieces: Iterable[bytes], size: int | None = None) -> Iterator[bytes]:
    """Yield the same bytes in batches of about ``size`` that end where a line ends, without the last line break.

    Cutting at line breaks means that no character of several bytes is ever cut. A line beyond ``LONGEST_LINE`` is
    shortened to just above that limit, so that a file without line breaks cannot fill the memory. When ``pieces`` raises
    DamagedFile, the whole lines before the damage are yielded first, then the error passes on.
    """
    size = size or BATCH
    pending = bytearray()
    try:
        for piece in pieces:
            for start in range(0, len(piece), size):
                pending += piece[start : start + size]
                if len(pending) < size:
                    continue
                end = pending.rfind(b"\n")
                if end < 0:
                    del pending[LONGEST_LINE + 1 :]
                else:
                    yield bytes(pending[:end])
                    del pending[: end + 1]
    except DamagedFile:
        end = pending.rfind(b"\n")
        if end >= 0:
            yield bytes(pending[:end])
        raise
    if pending:
        yield bytes(pending[:-1] if pending.endswith(b"\n") else pending)


def _recognize(name: str, start: bytes) -> Format | None:
    """Return the format of a file that begins with ``start``, None for plain text."""
    for format in FORMATS:
        if start.startswith(format.magic) or (format.name == "zstd" and start.startswith(SKIPPABLE)):
            return format
    for format in FORMATS:
        if name.endswith(format.suffix):
            raise UnreadableFile(
                f"{name} is no {format.name} file: it begins with {start!r}. Perhaps a web page was saved in its place; "
                "download it again, or rename it if it is plain text"
            )
    if start.startswith((b"PK\x03\x04", b"7z\xbc\xaf")):
        raise UnreadableFile(f"{name} is a zip or 7z archive: unpack it first, then give the file that was inside")
    return None


def _decompressed(file, format: Format, name: str) -> Iterator[bytes]:
    """Decode a file that may consist of several streams, one after the other, as parallel compressors write it."""
    decoder = None
    try:
        while piece := file.read(COMPRESSED_PIECE):
            while piece:
                if decoder is None:
                    piece = piece.lstrip(b"\0")  # some tools fill up the space between streams with zeros
                    if not piece:
                        break
                    decoder = format.decoder()
                yield decoder.decompress(piece)
                piece = decoder.unused_data
                if decoder.eof:
                    decoder = None
    except (zstandard.ZstdError, zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise DamagedFile(f"{name} is damaged ({error}); download it again to have the rest") from error
    if decoder is not None:
        raise DamagedFile(f"{name} breaks off before its end: the download did not finish; fetch it again for the rest")
