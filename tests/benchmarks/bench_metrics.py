"""How long does BLEU-4 of 10,000 sentences against 10,000 take? Measured against a bare loop over the same n-grams.

The sentences have 12 words each, drawn from 5,000 words of which a few are frequent and most are rare, as in real talk.
The bare loop takes every n-gram of one to four words once and does nothing with it; it runs before and after.
Arguments that other benchmarks know are ignored here.

    python tests/benchmarks/bench_metrics.py [--sentences 10000]
"""

import argparse
import random
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

from helpers.evaluation.text_metrics import bleu  # noqa: E402

MOST_SECONDS = 60.0
ORDER = 4
WORDS = 12
VOCABULARY = 5000


def sentences(number: int, seed: int) -> list[list[str]]:
    """Return token lists; the word of rank r is drawn with a probability in proportion to 1/r (Zipf's law)."""
    rng = random.Random(seed)
    words = [f"w{rank}" for rank in range(1, VOCABULARY + 1)]
    weights = [1 / rank for rank in range(1, VOCABULARY + 1)]
    drawn = rng.choices(words, weights, k=number * WORDS)
    return [drawn[start : start + WORDS] for start in range(0, len(drawn), WORDS)]


def bare_loop(*sets: list[list[str]]) -> None:
    for texts in sets:
        for words in texts:
            for order in range(1, ORDER + 1):
                for _ in zip(*(words[start:] for start in range(order))):
                    pass


def seconds(function, *arguments) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def main(arguments: list[str] | None = None) -> int:
    # No abbreviations: "--s" of another benchmark must not be taken for ours.
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--sentences", type=int, default=10_000, help="on each side (default: 10,000)")
    options, _ = parser.parse_known_args(arguments)
    hypotheses, references = sentences(options.sentences, seed=1), sentences(options.sentences, seed=2)
    before = seconds(bare_loop, hypotheses, references)
    full = seconds(bleu, hypotheses, references, ORDER)
    bare = (before + seconds(bare_loop, hypotheses, references)) / 2
    print(
        f"BLEU-{ORDER} of {options.sentences:,} sentences against {options.sentences:,}: {full:.2f} s "
        f"(target: at most {MOST_SECONDS:.0f} s), {full / bare:.1f} times the bare loop of {bare:.2f} s"
    )
    return int(full > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
