"""A tokenizer from its file, whatever its kind."""

import json
import os
from pathlib import Path

from helpers.corpus.tokenizers.base import Tokenizer
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes

KINDS = {kind.KIND: kind for kind in (CharTokenizer, BPETokenizer, WordsAndCodes)}


def load_tokenizer(path: str | os.PathLike) -> Tokenizer:
    """Read a tokenizer of any kind. Raises ValueError when the file holds none."""
    try:
        kind = KINDS[json.loads(Path(os.path.expanduser(path)).read_text(encoding="utf-8"))["kind"]]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        known = " or ".join(f'"{name}"' for name in KINDS)
        raise ValueError(f'{path} is no tokenizer of this course: its "kind" must be {known}') from error
    return kind.load(path)
