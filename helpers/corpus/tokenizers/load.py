"""A tokenizer out of its file, whatever its kind."""

import json
import os
from pathlib import Path

from helpers.corpus.tokenizers.base import Tokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer


def load_tokenizer(path: str | os.PathLike) -> Tokenizer:
    """Read a tokenizer of either kind. Raises ValueError when the file holds none."""
    from helpers.corpus.tokenizers.bpe import BPETokenizer

    kinds = {"characters": CharTokenizer, BPETokenizer.KIND: BPETokenizer}
    try:
        kind = json.loads(Path(path).read_text(encoding="utf-8"))["kind"]
        chosen = kinds[kind]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        known = " or ".join(f'"{name}"' for name in kinds)
        raise ValueError(f'{path} is no tokenizer of this course: its "kind" must be {known}') from error
    return chosen.load(path)
