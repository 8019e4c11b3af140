"""How long does a frame of an explorable take to draw? Measured against two forward passes of its model.

The slowest of thirteen steps of a forward pass, and of four frames of the ablation of a head. A slider should feel immediate.
Arguments that other benchmarks know are ignored here.

    python tests/benchmarks/bench_drawings.py [--rounds 5]
"""

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

import torch  # noqa: E402

from helpers.corpus.tokenizers.characters import CharTokenizer  # noqa: E402
from helpers.experiments.decoding_speed import seconds  # noqa: E402
from helpers.show import HeadRemoval, forward_pass, forward_pass_steps, pull_it_out  # noqa: E402
from tests import factories  # noqa: E402

MOST_SECONDS = 0.3
TEXT = "my dog ate"


def frames() -> dict:
    """Return {what: (a function that runs the model twice, the functions that draw a frame each)}."""
    tokenizer = CharTokenizer.train([TEXT])
    model, small = factories.gpt(len(tokenizer), std=0.4), factories.gpt(std=0.5, zero_output=False)
    ids, text = torch.tensor([tokenizer.encode(TEXT)]), torch.randint(16, (3, 12), generator=torch.Generator().manual_seed(0))
    pairs = {"one": torch.tensor([[1, 8, 2, 9], [1, 7, 2, 9]])}
    removal = HeadRemoval(small, pairs, [(3, " he"), (5, " she")], text, {"one": ("brother", "sister")})
    steps = [lambda step=step: forward_pass(model, tokenizer, TEXT, step).svg for step in forward_pass_steps(model)]
    heads = [lambda head=head: pull_it_out(removal, *head, "mean").svg for head in ((0, 0), (0, 1), (1, 0), (1, 1))]
    return {
        "a forward pass, step by step": (lambda: (model(ids), model(ids)), steps),
        "the ablation of a head": (lambda: (small(pairs["one"]), small(pairs["one"])), heads),
    }


def main(arguments: list[str] | None = None) -> int:
    # No abbreviations: "--r" of another benchmark must not be taken for ours.
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many (default: 5)")
    options, _ = parser.parse_known_args(arguments)
    slow = False
    for what, (passes, drawn) in frames().items():
        for function in (passes, *drawn):
            function()  # what is loaded once does not count
        model, slowest = seconds(passes, options.rounds), max(seconds(draw, options.rounds) for draw in drawn)
        print(
            f"{what}: the slowest of {len(drawn)} frames takes {slowest * 1000:.0f} ms "
            f"(target: at most {MOST_SECONDS * 1000:.0f} ms), {slowest / model:.0f} times two forward passes"
        )
        slow |= slowest > MOST_SECONDS
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
