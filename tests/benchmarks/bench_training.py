"""How fast does ``fit`` train a recurrent network, and what does it cost beside a bare loop around torch.nn.LSTM?

For each kind of network, in turns and in one run: characters per second of ``helpers.training.fit`` on ``CharRNN``, and of
the plainest loop that trains the same layers with the same optimizer, batches, carried state and clipping, with no
history, bar, schedule or validation. The target: ``fit`` costs at most 10 % more than the bare loop around the LSTM.

    python tests/benchmarks/bench_training.py [--steps 60] [--repeats 5] [--width 256]
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch import nn

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

from helpers.corpus.batches.token_stream import StreamBatches  # noqa: E402
from helpers.models.rnn import KINDS, CharRNN  # noqa: E402
from helpers.training import CarriedState, fit  # noqa: E402

MOST_OVERHEAD = 0.10
VOCABULARY, EMBEDDING = 98, 64


def batches(batch_size: int, context: int) -> StreamBatches:
    ids = torch.randint(VOCABULARY, (200_000,), generator=torch.Generator().manual_seed(0), dtype=torch.int16)
    return StreamBatches(ids, batch_size, context)


def with_fit(kind: str, width: int, data, steps: int) -> float:
    """Return the seconds that ``fit`` takes for so many steps."""
    torch.manual_seed(0)
    model = CharRNN(VOCABULARY, kind=kind, hidden_size=width, embedding_size=EMBEDDING)
    began = time.perf_counter()
    fit(model, data, steps=steps, learning_rate=1e-3, loss=CarriedState(), progress=True)
    return time.perf_counter() - began


def bare(kind: str, width: int, data, steps: int) -> float:
    """Return the seconds of a loop that does nothing but train torch's own layers."""
    torch.manual_seed(0)
    embed, layer = nn.Embedding(VOCABULARY, EMBEDDING), KINDS[kind](EMBEDDING, width, batch_first=True)
    head = nn.Linear(width, VOCABULARY)
    parameters = [*embed.parameters(), *layer.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, 1e-3, betas=(0.9, 0.99), weight_decay=0.0)
    torch.set_flush_denormal(True)  # as fit does: otherwise the processor would be compared, not the loop
    state = None
    began = time.perf_counter()
    for step in range(steps):
        inputs, targets, first = data[step]
        outputs, state = layer(embed(inputs), None if first else state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        loss = nn.functional.cross_entropy(head(outputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    seconds = time.perf_counter() - began
    torch.set_flush_denormal(False)
    return seconds


def run(steps: int, repeats: int, width: int, batch_size: int = 32, context: int = 64) -> dict[str, float]:
    """Print a line per kind; return the overhead of ``fit`` for each, as a share of the bare loop."""
    data, characters, overheads = batches(batch_size, context), steps * batch_size * context, {}
    for kind in KINDS:
        bare(kind, width, data, 3), with_fit(kind, width, data, 3)  # the first call of anything is slow
        pairs = [(bare(kind, width, data, steps), with_fit(kind, width, data, steps)) for _ in range(repeats)]
        plain, ours = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        overheads[kind] = median(ours / plain for plain, ours in pairs) - 1
        print(
            f"{kind.upper():<5} width {width}: bare loop {characters / plain:9,.0f} characters a second, "
            f"fit {characters / ours:9,.0f}: {overheads[kind]:+.1%}",
            flush=True,
        )
    return overheads


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--width", type=int, default=256)
    options = parser.parse_known_args()[0]
    overheads = run(options.steps, options.repeats, options.width)
    print(f"fit costs {overheads['lstm']:+.1%} beside the bare loop around torch.nn.LSTM (target: at most {MOST_OVERHEAD:.0%})")
    return int(overheads["lstm"] > MOST_OVERHEAD)


if __name__ == "__main__":
    sys.exit(main())
