"""Is gpt faster in ONNX than in torch, and does it say the same? Side by side in one run; stop all other work first.

1. Logits on 192 tokens, at once and one by one: within 1e-4 of torch's.
2. Greedy tokens after four conversations: the same, by onnxruntime and by speculative decoding with counted triples.
3. 40 tokens after each, once it is read, in turns: onnxruntime makes at least 3 times as many a second in 8 bits as torch does,
   and twice as many in 32, all with one thread. Torch as it comes, with a thread for each core, is slower: they wait for each
   other. It is shown beside them, and so is speculative decoding.

    python tests/benchmarks/bench_decoding.py [--rounds 5]

Needs the extra [export]. The weights pass through the processor once a token: on a computer whose memory others use, too,
torch's overhead hides behind the waiting and the ratio falls.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

from helpers.bots import checkpoints  # noqa: E402
from helpers.compression.onnx_export import OnnxGPT, export_onnx, quantize_onnx  # noqa: E402
from helpers.corpus.batches.token_stream import stream  # noqa: E402
from helpers.corpus.load import load  # noqa: E402
from helpers.extras import missing  # noqa: E402
from helpers.generation.sampling import generate  # noqa: E402
from helpers.generation.speculative_decoding import speculative_generate  # noqa: E402
from helpers.models.ngram import NGram  # noqa: E402

NEEDED, CLOSE, TOKENS = {"onnxruntime": 2.0, "onnxruntime, 8 bits": 3.0}, 1e-4, 40


@torch.no_grad()
def difference(model, onnx, ids: torch.Tensor) -> float:
    """Return how far the logits of [1, T] ids are apart, read at once and one by one."""
    wanted, state, parts = model(ids)[0], None, []
    for token in ids.split(1, dim=1):
        logits, state = onnx(token, state)
        parts.append(logits)
    return max((other - wanted).abs().max().item() for other in (onnx(ids)[0], torch.cat(parts, dim=1)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_known_args()[0].rounds
    if sentence := missing("onnx", "onnxruntime", "onnxscript"):
        print(sentence)
        return 0
    cores, bot, corpus = torch.get_num_threads(), checkpoints.load("gpt"), load()
    model, tokenizer = bot.model, bot.tokenizer
    draft = NGram.count(stream(corpus.train, tokenizer), 3, len(tokenizer))
    prompts = [bot.prompt([turn.text for turn in talk.turns[:2]]) for talk in corpus.test if len(talk.turns) > 2][:4]
    with tempfile.TemporaryDirectory() as folder:
        path = export_onnx(model, Path(folder) / "gpt.onnx")
        onnx, int8 = OnnxGPT(path), OnnxGPT(quantize_onnx(path, Path(folder) / "int8.onnx"))
    settings = {"max_tokens": TOKENS, "temperature": 0}
    ways = {
        "torch": lambda ids: generate(model, ids, **settings),
        "torch, all cores": lambda ids: generate(model, ids, **settings),
        "onnxruntime": lambda ids: generate(onnx, ids, **settings),
        "onnxruntime, 8 bits": lambda ids: generate(int8, ids, **settings),
        "speculative": lambda ids: speculative_generate(model, draft, ids, look_ahead=2, **settings),
    }
    apart = difference(model, onnx, torch.tensor([(prompts[0] + prompts[1] + prompts[2])[:192]]))
    said = {name: [list(way(ids)) for ids in prompts] for name, way in ways.items()}  # and everything has run once
    same = all(said[name] == said["torch"] for name in ("onnxruntime", "speculative"))
    print(f"logits: {apart:.1e} apart; greedy tokens the same: {'yes' if same else 'NO'}")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        taken = dict.fromkeys(ways, 0.0)
        for ids in prompts:
            for name, way in ways.items():
                torch.set_num_threads(cores if name == "torch, all cores" else 1)
                tokens = way(ids)
                next(tokens)  # the prompt has been read
                began = time.perf_counter()
                list(tokens)
                taken[name] += time.perf_counter() - began
        for name, whole in taken.items():
            seconds[name].append(whole)
    ratios = {name: median(b / a for a, b in zip(times, seconds["torch"])) for name, times in seconds.items()}
    for name, times in seconds.items():
        print(
            f"{name}: {len(prompts) * (TOKENS - 1) / median(times):,.0f} tokens a second, {ratios[name]:.2f} times torch's"
        )
    good = apart <= CLOSE and same and all(ratios[name] >= needed for name, needed in NEEDED.items())
    print(f"reached: {'yes' if good else 'NO'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
