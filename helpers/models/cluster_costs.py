"""What a training run costs on many GPUs: days, bytes on each, numbers sent (built in notebook 13).

Peaks are the manufacturers' for dense products of 16-bit numbers; advertisements name twice as much, for matrices half of
whose numbers are zero, which no published training run used.
"""

from typing import NamedTuple

from helpers.models.costs import DAY, training_flops

# Bytes a parameter in mixed precision with Adam: two numbers of 16 bits, and three of 32 (Rajbhandari et al. 2019, section 3.1)
BYTES = {"parameters": 2, "gradients": 2, "optimizer": 12}


class GPU(NamedTuple):
    """A GPU for training: the most it could do, dense, in 16 bits, and how much fits on it."""

    name: str
    peak: float  # FLOP per second
    memory: float  # bytes
    source: str


class Run(NamedTuple):
    """A training run whose developers published how long it took."""

    name: str
    parameters: float  # those that work on a token: in a mixture of experts fewer than there are
    tokens: float
    gpu: str
    hours: float  # of all GPUs together
    source: str


GPUS = {
    gpu.name: gpu
    for gpu in (
        GPU("V100", 125e12, 32e9, "NVIDIA V100 datasheet"),
        GPU("A100", 312e12, 80e9, "NVIDIA A100 datasheet"),
        GPU("H100", 989e12, 80e9, "NVIDIA H100 datasheet (SXM): half of the number with sparsity"),
        GPU("H800", 989e12, 80e9, "as the H100, with slower links between GPUs"),
    )
}
RUNS = (
    Run("as large as GPT-3", 175e9, 300e9, "A100", 1024 * 34 * 24, "Narayanan et al. 2021: 34 days on 1,024"),
    Run("Llama 2 70B", 70e9, 2e12, "A100", 1_720_320, "Touvron et al. 2023, table 2"),
    Run("Llama 3.1 405B", 405e9, 15.6e12, "H100", 30.84e6, "its model card, 2024"),
    Run("DeepSeek-V3 (37 of 671 B active)", 37e9, 14.8e12, "H800", 2.664e6, "DeepSeek-AI 2024, table 1"),
)


def training_days(parameters: float, tokens: float, gpus: float, peak: float, mfu: float) -> float:
    """Return the days that a training run of 6 N D FLOP takes on ``gpus`` GPUs that could do ``peak`` FLOP a second each.

    ``mfu``, the model FLOP utilization (Chowdhery et al. 2022), is the share of the peak that the model's own arithmetic gets.
    Raises ValueError when a number is not above 0, or mfu above 1.
    """
    numbers = {"parameters": parameters, "tokens": tokens, "gpus": gpus, "peak": peak, "mfu": mfu}
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is {number}: give a number above 0")
    if mfu > 1:
        raise ValueError(f"mfu is {mfu}: give a share of the peak, such as 0.4")
    return training_flops(parameters, tokens) / (gpus * peak * mfu) / DAY


def bytes_per_worker(parameters: float, workers: int, stage: int) -> dict[str, float]:
    """Return the bytes of "parameters", "gradients" and "optimizer" on each worker, activations left out.

    stage   of ZeRO (Rajbhandari et al. 2019): 0, everyone has everything; 1, of the optimizer's numbers each has a part; 2, of
            the gradients too; 3, of the parameters too

    Raises ValueError for another stage, or without a worker.
    """
    if stage not in (0, 1, 2, 3) or workers < 1:
        raise ValueError(f"give a stage from 0 to 3 and at least one worker, not stage {stage} and {workers} workers")
    last = {"optimizer": 1, "gradients": 2, "parameters": 3}  # from which stage on it is split
    return {what: each * parameters / (workers if stage >= last[what] else 1) for what, each in BYTES.items()}


def ring_numbers(numbers: float, workers: int) -> float:
    """Return how many numbers each worker sends in an all-reduce round the ring: 2 (n − 1) / n · N."""
    return 2 * (workers - 1) / workers * numbers


def utilization(run: Run) -> float:
    """Return the model FLOP utilization of a training run: 6 N D, divided by what its GPUs could have done in all their hours."""
    return training_flops(run.parameters, run.tokens) / (run.hours * 3600 * GPUS[run.gpu].peak)
