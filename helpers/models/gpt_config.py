"""What a GPT is in numbers and names: the recipe of 2019 and today's differ in these fields alone (notebook 06)."""

from __future__ import annotations

from dataclasses import dataclass

CHOICES = {"norm": ("layer", "rms"), "positions": ("learned", "rotary"), "activation": ("gelu", "relu2", "swiglu")}


@dataclass(frozen=True)
class GPTConfig:
    """Everything that decides what a GPT is. Raises ValueError for values that do not go with each other."""

    vocab_size: int
    context: int = 256  # tokens it can see at once
    n_embd: int = 256  # numbers per token
    n_layer: int = 4
    n_head: int = 4  # each attends with n_embd / n_head of the numbers
    norm: str = "layer"  # "layer": subtract the mean, divide by the standard deviation (Ba et al. 2016); "rms": divide only
    positions: str = "learned"  # "learned": a vector per position; "rotary": turn queries and keys (Su et al. 2021)
    activation: str = "gelu"  # "gelu" (Hendrycks & Gimpel 2016) in GPT-2's tanh form, "relu2" (So et al. 2021), "swiglu"
    qk_norm: bool = False  # queries and keys of length √d: their products stay small (Henry et al. 2020)
    tied: bool = True  # one table of vectors for reading and for scoring (Press & Wolf 2017)
    bias: bool = True  # in linear layers and norms
    zero_output: bool = False  # each block begins by adding nothing: its last matrix starts at 0 (Zhang et al. 2019)
    logit_cap: float = 0.0  # scores are squeezed into ± this by a tanh (Gemma 2, 2024); 0 for no cap
    bigram_rows: int = 0  # rows of a table for pairs of neighbors, chosen by a hash (Roy et al. 2022); 0 for none
    n_kv_head: int | None = None  # heads of keys and values, each read by a group of queries (Ainslie et al. 2023); None: n_head
    dropout: float = 0.0  # of what each layer adds; not of the attention weights, where fast kernels know none

    def __post_init__(self):
        for field, known in CHOICES.items():
            if getattr(self, field) not in known:
                raise ValueError(f"there is no {field} {getattr(self, field)!r}; known are {', '.join(known)}")
        for field in ("vocab_size", "context", "n_embd", "n_layer", "n_head"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} is {getattr(self, field)}: give at least 1")
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd = {self.n_embd} cannot be shared by {self.n_head} heads: it must be a multiple of n_head")
        if self.kv_heads < 1 or self.n_head % self.kv_heads:
            raise ValueError(f"{self.n_head} query heads cannot read {self.kv_heads} heads of keys evenly: take a divisor")
        if self.positions == "rotary" and self.n_embd // self.n_head % 2:
            raise ValueError(f"rotary positions turn pairs of numbers: {self.n_embd // self.n_head} a head is odd")

    @property
    def head_size(self) -> int:
        """The numbers that one head attends with."""
        return self.n_embd // self.n_head

    @property
    def kv_heads(self) -> int:
        """The heads of keys and values: ``n_kv_head``, or where it is None as many as of queries."""
        return self.n_head if self.n_kv_head is None else self.n_kv_head

    @property
    def hidden_size(self) -> int:
        """The hidden units of a block's feed-forward network.

        4 n_embd; in SwiGLU (Shazeer 2020), which has three matrices instead of two, 8/3 n_embd rounded to a multiple of 8: so
        both have as many parameters, nearly.
        """
        return 8 * max(1, round(self.n_embd / 3)) if self.activation == "swiglu" else 4 * self.n_embd

    @classmethod
    def gpt2(cls, vocab_size: int, **changes) -> GPTConfig:
        """Return the recipe of GPT-2 (Radford et al. 2019), with your sizes."""
        return cls(vocab_size, **changes)

    @classmethod
    def modern(cls, vocab_size: int, **changes) -> GPTConfig:
        """Return today's recipe: RMSNorm, rotary positions, ReLU², QK-norm, no bias, blocks that begin at zero."""
        parts = {"norm": "rms", "positions": "rotary", "activation": "relu2", "qk_norm": True}
        return cls(vocab_size, **(parts | {"bias": False, "zero_output": True, "logit_cap": 15.0} | changes))
