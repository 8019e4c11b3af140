"""Tiny models, conversations and folders that many tests share: the one place where they are made."""

import pytest
import torch

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models.rnn import CharRNN


@pytest.fixture
def tokenizer():
    return CharTokenizer.train(["".join(map(chr, range(32, 127))) + "\n"])


@pytest.fixture
def bot(tokenizer):
    """A bot with a small network that was never trained: it babbles, but in its own voice."""
    torch.manual_seed(0)
    model = CharRNN(len(tokenizer), width=8, embedding=6).eval()
    for parameter in model.recurrent.parameters():
        parameter.data *= 5  # a memory that does not fade within a message
    model.head.weight.data *= 5
    return Bot(model, tokenizer, "rnn")


@pytest.fixture
def checkpoint_folder(tmp_path, monkeypatch):
    """The folder of an empty set of checkpoints; it does not exist before the first bot is saved."""
    folder = tmp_path / "data" / "checkpoints"
    monkeypatch.setattr(checkpoints, "folder", lambda: folder)
    return folder
