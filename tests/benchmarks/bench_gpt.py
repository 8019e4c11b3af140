"""How good is our GPT recipe on the clock? Three comparisons, each side by side in one run; stop all other work first.

1. Time to loss. nanoGPT's documented recipe for a laptop (GPT-2's architecture, 4 layers, 4 heads, width 128, context 64,
   batch 12, AdamW, 2,000 steps, letters) against two others with at most as many parameters: the same text, tokens and
   context. The GPT that learners write in notebook 06 must reach its final validation loss in a sixth of its wall time; ours,
   today's recipe, in an eighth, and be 0.30 nats lower in the same time. Three seeds each.
2. Training step beside ``transformers``' GPT-2 with the same configuration: at least 1.3 times its tokens a second, as it
   is or compiled.
3. Writing 256 tokens with the cache: at least 3 times as fast as without, and 1.5 times as fast as ``transformers``.

    python tests/benchmarks/bench_gpt.py [--only loss|step|write] [--share 8] [--steps 2000]

With ``--steps`` the baseline has a smaller budget than its authors gave it: quicker, and another question.
"""

import argparse
import copy
import sys
import time
from pathlib import Path
from statistics import median

import torch

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

from helpers.corpus.batches.token_stream import WindowBatches, stream  # noqa: E402
from helpers.corpus.load import load  # noqa: E402
from helpers.corpus.tokenizers.characters import CharTokenizer  # noqa: E402
from helpers.generation.sampling import generate  # noqa: E402
from helpers.models.attention import sinusoidal_positions  # noqa: E402
from helpers.models.gpt import GPT, GPTConfig  # noqa: E402
from helpers.models.small_gpt import SmallGPT, initialize  # noqa: E402
from helpers.models.utils import parameter_count  # noqa: E402
from helpers.runtime import has_bf16, seed_everything  # noqa: E402
from helpers.training import fit, mean_loss, next_token_loss  # noqa: E402

CONTEXT = 64
NEEDED = {"learners": 6, "share": 8, "lower": 0.30, "step": 1.3, "cache": 3.0, "write": 1.5}


def letters():
    """Return training and validation letters of the conversations, and how many different ones there are."""
    corpus = load("chitchat")
    tokenizer = CharTokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), min_count=20)
    return stream(corpus.train, tokenizer), stream(corpus.val, tokenizer), len(tokenizer)


def baseline(train, vocabulary: int, steps: int = 2000):
    """Train by nanoGPT's laptop recipe, whose budget is 2,000 steps; return the model and the wall seconds."""
    seed_everything(0)
    began = time.perf_counter()
    model = GPT(GPTConfig.gpt2(vocabulary, context=CONTEXT, n_embd=128, n_layer=4, n_head=4))
    rule = {"learning_rate": 1e-3, "warmup": 0.05, "schedule": "cosine", "weight_decay": 0.1}  # to 1e-4
    fit(model, WindowBatches(train, 12, CONTEXT), steps=steps, progress=False, **rule)
    return model, time.perf_counter() - began


RULE = {"optimizer": "muon", "schedule": "trapezoid", "progress": False}
SHORT, LONG = 0.04, 0.02  # learning rates: a training of seconds wants a higher one than a training of a minute


def ours(train, vocabulary: int, seconds: float, seed: int = 0):
    """Train today's recipe for ``seconds`` of wall time, the making of the model included.

    In seconds one block learns more, for it makes twice as many steps; in a minute two do.
    """
    seed_everything(seed)
    began = time.perf_counter()
    long = seconds > 30
    sizes = {"context": CONTEXT, "n_embd": 128, "n_layer": 2 if long else 1, "n_head": 4, "bigram_rows": 2039}
    model = GPT(GPTConfig.modern(vocabulary, tied=False, **sizes))
    return trained(model, train, seconds, began, seed, LONG if long else SHORT)


def learners(train, vocabulary: int, seconds: float, seed: int = 0):
    """Train the class that learners write in notebook 06, GPT-2's architecture, with what surrounds today's recipe.

    One block: it makes twice as many steps as two. Its positions begin as sinusoids, and a table of its own gives the scores.
    """
    seed_everything(seed)
    began = time.perf_counter()
    config = GPTConfig.gpt2(vocabulary, context=CONTEXT, n_embd=128, n_layer=1, n_head=4)
    model = initialize(SmallGPT(config), zero_output=True)
    model.positions.weight.data = 0.1 * sinusoidal_positions(CONTEXT, config.n_embd)
    model.head.weight = torch.nn.Parameter(model.head.weight.detach().clone())
    return trained(model, train, seconds, began, seed)


def trained(model, train, seconds: float, began: float, seed: int, learning_rate: float = SHORT):
    dtype = torch.bfloat16 if has_bf16("cpu") else None
    left = seconds - (time.perf_counter() - began) - 0.1  # the first step is slow and the last one may run over
    fit(model, WindowBatches(train, 32, CONTEXT, seed), seconds=left, dtype=dtype, learning_rate=learning_rate, **RULE)
    return model, time.perf_counter() - began


def time_to_loss(share: float, steps: int) -> bool:
    """Three seeds each: the learners' class in 1/6 of the baseline's time, ours in ``1/share``, and ours in all of it."""
    train, val, vocabulary = letters()
    held_out = WindowBatches(val, 64, CONTEXT)

    def validation(model) -> float:
        return mean_loss(model, held_out, 40, loss=next_token_loss)

    model, whole = baseline(train, vocabulary, steps)
    goal, size = validation(model), parameter_count(model)
    print(f"baseline: {goal:.3f} nats after {steps:,} steps in {whole:.1f} s, {size:,} parameters", flush=True)
    good = []
    for name, recipe, part in (("learners'", learners, NEEDED["learners"]), ("ours", ours, share), ("ours", ours, 1)):
        for seed in range(3):
            model, seconds = recipe(train, vocabulary, whole / part, seed=seed)
            lower = goal - validation(model)
            allowed = NEEDED["learners"] if recipe is learners else NEEDED["share"] if part > 1 else 1
            enough = lower >= (0 if part > 1 else NEEDED["lower"])
            in_time = seconds * allowed <= whole * 1.01 and parameter_count(model) <= size
            good.append(enough and in_time)
            print(
                f"{name}, seed {seed}: {lower:+.3f} nats lower after {seconds:.1f} s, 1/{whole / seconds:.1f} of the time, "
                f"{parameter_count(model):,} parameters",
                flush=True,
            )
    return all(good)


def pair_of_gpts(vocabulary=98, context=CONTEXT, width=128, layers=4, heads=4):
    """Return our GPT-2 and that of ``transformers``, both of the baseline's sizes, no dropout in either."""
    from transformers import GPT2Config, GPT2LMHeadModel

    seed_everything(0)
    sizes = {"n_positions": context, "n_embd": width, "n_layer": layers, "n_head": heads}
    drop = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    theirs = GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, bos_token_id=0, eos_token_id=None, **sizes, **drop))
    ours = GPT(GPTConfig.gpt2(vocabulary, context=context, n_embd=width, n_layer=layers, n_head=heads))
    assert ours.parameter_count() == sum(p.numel() for p in theirs.parameters())
    return ours, theirs


def step_time(repeats: int = 40, batch: int = 12) -> bool:
    """Forward, backward and an AdamW step in float32, in turns; the baseline's configuration.

    Ours twice: as it is, and as ``fit(compile=True)`` runs it. Products of matrices are two thirds of a step and the same
    for all three; compiling fuses what lies between them.
    """
    ours, theirs = pair_of_gpts()
    ids = torch.randint(98, (batch, CONTEXT + 1))
    inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    models = {"ours": ours, "compiled": torch.compile(copy.deepcopy(ours)), "transformers": theirs}
    rules = {name: torch.optim.AdamW(model.parameters(), 1e-4, fused=True) for name, model in models.items()}

    def loss(name):
        if name == "transformers":
            return theirs(inputs, labels=inputs, use_cache=False).loss
        return torch.nn.functional.cross_entropy(models[name](inputs)[0].flatten(0, 1), targets.flatten())

    torch.set_flush_denormal(True)  # as fit does, and for all: otherwise the processor would be compared
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(repeats + 3):
        for name, model in models.items():
            model.train()
            began = time.perf_counter()
            rules[name].zero_grad()
            loss(name).backward()
            rules[name].step()
            if turn > 2:  # the first calls of anything are slow, compiling most of all
                seconds[name].append(time.perf_counter() - began)
    torch.set_flush_denormal(False)
    speeds = {name: batch * CONTEXT / median(times) for name, times in seconds.items()}
    ratios = {name: median(b / a for a, b in zip(seconds[name], seconds["transformers"])) for name in models}
    print(
        f"training step: {speeds['ours']:,.0f} tokens a second, {ratios['ours']:.2f} times those of transformers "
        f"({speeds['transformers']:,.0f}); compiled {speeds['compiled']:,.0f}, {ratios['compiled']:.2f} times",
        flush=True,
    )
    return max(ratios["ours"], ratios["compiled"]) >= NEEDED["step"]


def writing(tokens: int = 256, repeats: int = 3) -> bool:
    """Greedy tokens after a prompt of eight, cached, read again each time, and by ``transformers``."""
    ours, theirs = (model.eval() for model in pair_of_gpts(context=512))
    prompt = list(range(1, 9))

    def write(cache: bool):
        return list(generate(ours, prompt, max_tokens=tokens, temperature=0, cache=cache))

    def their_write():
        settings = {"do_sample": False, "max_new_tokens": tokens, "min_new_tokens": tokens, "pad_token_id": 0}
        return theirs.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, 8, dtype=torch.long), **settings)

    times: dict[str, list[float]] = {"cached": [], "uncached": [], "transformers": []}
    for turn in range(repeats + 1):
        jobs = {"cached": lambda: write(True), "uncached": lambda: write(False), "transformers": their_write}
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            if turn:
                times[name].append(time.perf_counter() - began)
    speed = {name: tokens / median(seconds) for name, seconds in times.items()}
    cache, beside = speed["cached"] / speed["uncached"], speed["cached"] / speed["transformers"]
    print(
        f"writing {tokens} tokens: {speed['cached']:,.0f} a second with the cache, {cache:.1f} times as many as without, "
        f"{beside:.2f} times as many as transformers",
        flush=True,
    )
    return cache >= NEEDED["cache"] and beside >= NEEDED["write"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["loss", "step", "write"])
    parser.add_argument("--share", type=float, default=8, help="ours gets one such part of the baseline's time")
    parser.add_argument("--steps", type=int, default=2000, help="the baseline's budget")
    options = parser.parse_known_args()[0]
    parts = {"step": step_time, "write": writing, "loss": lambda: time_to_loss(options.share, options.steps)}
    good = {name: part() for name, part in parts.items() if options.only in (None, name)}
    print("reached: " + ", ".join(f"{name} {'yes' if fine else 'NO'}" for name, fine in good.items()))
    return int(not all(good.values()))


if __name__ == "__main__":
    sys.exit(main())
