"""What each process does in ``python -m helpers bots train gpt --processes 2`` (torchrun starts it; notebook 13)."""

import os
import sys

from torch.distributed.elastic.multiprocessing.errors import record

from helpers.bots.train import train
from helpers.io import lenient_streams
from helpers.training.distributed import join

PATIENCE = 3_600.0  # seconds: so long may the first process measure a bot, while the others wait


def main(names: list[str]) -> None:
    """Train the bots called ``names`` together with the other processes; the first one alone says what happens."""
    lenient_streams()
    with join(timeout=PATIENCE) as team:
        os.environ["HELPERS_DEVICE"] = team.device.type  # what ``start`` picks
        if not team.first:
            sys.stdout = open(os.devnull, "w", encoding="utf-8")
        train(names, team)


if __name__ == "__main__":
    record(main)(sys.argv[1:])
