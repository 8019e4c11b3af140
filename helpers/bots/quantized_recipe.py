"""How the bots of few bits are made: nothing is trained, the matrices of a bot are rounded (notebook 12)."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helpers.bots import checkpoints


@dataclass(frozen=True)
class QuantizedRecipe:
    """Round a bot's matrices to the nearest number that a few bits can say."""

    tokens: ClassVar[str] = "word pieces"
    bits: int
    group: str | int
    symmetric: bool
    base: str = "gpt"

    def train(self, corpus, tokenizer, device, resume: Path):
        """Return the model and the seconds it took to quantize, as all recipes do; no text is read."""
        from helpers.compression.quantization import quantized

        model = checkpoints.load(self.base, device.torch).model
        began = time.perf_counter()
        return quantized(model, self.bits, self.group, self.symmetric), time.perf_counter() - began
