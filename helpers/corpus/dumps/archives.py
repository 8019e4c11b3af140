"""Whole lines out of the files that dumps come in: plain text, zstd, gzip, bzip2 or xz, however large or damaged.

Nothing here knows what a comment is. A file is opened by its first bytes rather than by its name, decoded a little at a
time and handed on as batches of whole lines, so memory stays flat whatever the size of the file.
"""

import bz2
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

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


def _zstd_decoder():
    return zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj()


# How files are compressed, by their suffix: the name, what they begin with, and what makes a decoder of one stream. zstd
# files may also begin with one of sixteen frames that decoders skip; parallel compressors write one.
FORMATS: dict[str, tuple[str, tuple[bytes, ...], Callable]] = {
    ".zst": ("zstd", (b"\x28\xb5\x2f\xfd", *(b"%c\x2a\x4d\x18" % (0x50 + n) for n in range(16))), _zstd_decoder),
    ".gz": ("gzip", (b"\x1f\x8b",), partial(zlib.decompressobj, wbits=31)),
    ".bz2": ("bzip2", (b"BZh",), bz2.BZ2Decompressor),
    ".xz": ("xz", (b"\xfd7zXZ\x00",), lzma.LZMADecompressor),
}


def decoded(path: str | os.PathLike) -> Iterator[bytes]:
    """Yield the decoded bytes of a file, piece by piece.

    Raises UnreadableFile when the file is empty or not what its name says, DamagedFile when it breaks off on the way
    (after everything before the damage was yielded), FileNotFoundError when it is missing.
    """
    path = Path(os.path.expanduser(path))
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        if not start:
            raise UnreadableFile(f"{path.name} is empty (0 bytes): the download did not finish; fetch it again")
        for _, magic, decoder in FORMATS.values():
            if start.startswith(magic):
                yield from _decompressed(file, decoder, path.name)
                return
        if path.suffix in FORMATS:
            raise UnreadableFile(
                f"{path.name} is no {FORMATS[path.suffix][0]} file: it begins with {start!r}. Perhaps a web page was saved "
                "in its place; download it again, or rename it if it is plain text"
            )
        if start.startswith((b"PK\x03\x04", b"7z\xbc\xaf")):
            raise UnreadableFile(f"{path.name} is a zip or 7z archive: unpack it first, then give the file that was inside")
        while piece := file.read(BATCH):
            yield piece


def line_batches(pieces: Iterable[bytes], size: int | None = None) -> Iterator[bytes]:
    """Yield the same bytes in batches of about ``size`` that end where a line ends, without the last line break.

    Cutting at line breaks means that no character of several bytes is ever cut. A line beyond ``LONGEST_LINE`` is
    shortened to just above that limit, so that a file without line breaks cannot fill the memory. When ``pieces`` raises
    DamagedFile, the whole lines before the damage are yielded first, then the error passes on.
    """
    size = size or BATCH
    pending = b""
    try:
        for piece in pieces:
            for start in range(0, len(piece), size):
                pending += piece[start : start + size]
                if len(pending) >= size:
                    whole, line_break, pending = pending.rpartition(b"\n")
                    if line_break:
                        yield whole
                    pending = pending[: LONGEST_LINE + 1]
    except DamagedFile:
        whole, line_break, _ = pending.rpartition(b"\n")
        if line_break:
            yield whole
        raise
    if pending:
        yield pending.removesuffix(b"\n")


def _decompressed(file, new_decoder: Callable, name: str) -> Iterator[bytes]:
    """Decode a file that may consist of several streams, one after the other, as parallel compressors write it.

    The libraries' own file objects will not do: zstandard's takes a file that breaks off for a whole one, and those of bz2
    and lzma pass over everything behind the first stream when the next one is damaged.
    """
    decoder = None
    try:
        while piece := file.read(COMPRESSED_PIECE):
            while piece := piece if decoder else piece.lstrip(b"\0"):  # some tools fill up between streams with zeros
                decoder = decoder or new_decoder()
                yield decoder.decompress(piece)
                piece = decoder.unused_data
                decoder = None if decoder.eof else decoder
    except (zstandard.ZstdError, zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise DamagedFile(f"{name} is damaged ({error}); download it again to have the rest") from error
    if decoder is not None:
        raise DamagedFile(f"{name} breaks off before its end: the download did not finish; fetch it again for the rest")
