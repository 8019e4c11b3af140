"""A small GPT and invented tokens to train it on: the same on every process, so that runs can be compared (notebook 13)."""

import torch

from helpers.corpus.batches.base import IGNORED, Batch
from helpers.io import sha256
from helpers.models.gpt import GPT, GPTConfig
from helpers.training.fsdp import whole_tensors

VOCABULARY, CONTEXT, ROWS = 64, 16, 4
LEARNING_RATE = 0.01


class ExampleBatches:
    """Batches of 4 rows of 16 tokens, in which each next token follows from the one before, most of the time.

    With ``uneven`` all 64 targets of every even batch count and 4 of every odd one: as replies differ in length.
    """

    def __init__(self, uneven: bool = False):
        self.uneven = uneven

    def __getitem__(self, number: int) -> Batch:
        rng = torch.Generator().manual_seed(number)
        ids = torch.randint(VOCABULARY, (ROWS, 1), generator=rng)
        for _ in range(CONTEXT):
            after = (ids[:, -1:] * 5 + 3) % VOCABULARY
            noise = torch.randint(VOCABULARY, (ROWS, 1), generator=rng)
            ids = torch.cat((ids, torch.where(torch.rand(ROWS, 1, generator=rng) < 0.8, after, noise)), dim=1)
        targets = ids[:, 1:].clone()
        if self.uneven and number % 2:
            targets[:, 1:] = IGNORED
        return Batch(ids[:, :-1], targets, True)


def example_batches(uneven: bool = False) -> ExampleBatches:
    """Return the batches of the example, the same in every process."""
    return ExampleBatches(uneven)


def example_model(seed: int = 0, dropout: float = 0.0, n_embd: int = 32) -> GPT:
    """Return a GPT of 2 layers, today's recipe, in training mode; its blocks do not begin at zero, so all have a gradient."""
    torch.manual_seed(seed)
    sizes = {"context": CONTEXT, "n_embd": n_embd, "n_layer": 2, "n_head": 4, "dropout": dropout}
    return GPT(GPTConfig.modern(VOCABULARY, **sizes, zero_output=False)).train()


def digest(model) -> str:
    """Return the SHA-256 of a model's parameters, bit by bit, as 64 hexadecimal digits; of a sharded one all processes ask."""
    weights = whole_tensors(dict(model.named_parameters()))
    return sha256(value.detach().cpu().contiguous().numpy().tobytes() for value in weights.values())
