"""Who may come in: keys that the service never stores, only their SHA-256 (built in notebook 14).

A key is 256 random bits, so a fast hash is enough: nobody can try them all. (A password, which people choose, would need a
slow one.) A stolen file of hashes opens nothing. The comparison takes equally long whatever is wrong, and all hashes are
compared with, so the time tells neither how much of a key was right nor whose.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from helpers.io import write_text

_NAME = re.compile(r"[\w.-]{1,64}")
_DIGEST = re.compile("[0-9a-f]{64}")


def new_key() -> str:
    """Return a new random key: "sk-" and 43 letters, digits, hyphens and underscores (256 bits)."""
    return f"sk-{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    """Return the SHA-256 of a key as 64 hexadecimal digits: what the service keeps."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def bearer(header: str | None) -> str | None:
    """Return the key in an Authorization header, "Bearer sk-…" (RFC 6750), or None when there is none."""
    scheme, _, key = (header or "").strip().partition(" ")
    return (key.strip() or None) if scheme.lower() == "bearer" else None


def known_key(key: str, digests: Mapping[str, str]) -> str | None:
    """Return the name to which a key belongs, or None. ``digests`` maps each name to the SHA-256 of their key.

    Never stops early, and never uses ==, which returns sooner the earlier two texts differ.
    """
    own, owner = digest(key), None
    for name, known in digests.items():
        if hmac.compare_digest(own, known):
            owner = name
    return owner


def read_keys(path: str | Path) -> dict[str, str]:
    """Return {name: SHA-256} of a file with a name and a hash a line; empty lines and lines with # are left out.

    Raises ValueError, naming the line and never what stands in it, for another line, for a name that comes twice, and for a
    file without any key; OSError when it cannot be read.
    """
    keys: dict[str, str] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not _NAME.fullmatch(words[0]) or not _DIGEST.fullmatch(words[1]):
            raise ValueError(
                f"line {number} of {path} is no name and SHA-256 (64 hexadecimal digits): "
                f"python -m helpers serve --keys-file {path} --new-key NAME writes such a line"
            )
        if words[0] in keys:
            raise ValueError(f"line {number} of {path} names {words[0]} a second time: give each key its own name")
        keys[words[0]] = words[1]
    if not keys:
        raise ValueError(f"{path} holds no key: python -m helpers serve --keys-file {path} --new-key NAME adds one")
    return keys


def add_key(path: str | Path, name: str) -> str:
    """Add a new key for ``name`` to a file of hashes, which may not exist yet, and return it: it is written nowhere.

    Raises ValueError for a name with spaces or other strange characters, and for one that has a key already.
    """
    path = Path(path)
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a key: use up to 64 letters, digits, dots, hyphens and underscores")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text.strip() and name in read_keys(path):
        raise ValueError(f"{name} has a key in {path} already: delete that line first, or choose another name")
    if text and not text.endswith("\n"):
        text += "\n"
    key = new_key()
    write_text(path, f"{text}{name} {digest(key)}\n")
    return key
