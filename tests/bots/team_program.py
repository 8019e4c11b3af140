"""What each process of a team does in ``test_train_team``: the command's own program, on a course of one idea."""

import sys
from pathlib import Path

import pytest
from torch.distributed.elastic.multiprocessing.errors import record

from tests import factories


def main(folder: Path, name: str) -> None:
    from helpers.bots import checkpoints, recipes, train, train_team
    from helpers.evaluation import scoreboard

    talks = factories.conversations
    small = {"n_embd": 8, "n_layer": 1, "n_head": 2, "context": 24, "bigram_rows": 13, "batch_size": 4, "steps": 3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "folder", lambda: folder / "data" / "checkpoints")
        patch.setattr(scoreboard, "data_path", (folder / "data").joinpath)
        patch.setattr(train, "RECIPES", {"gpt": recipes.GPTRecipe(**small)})
        train_tokenizer = train.BPETokenizer.train
        patch.setattr(train.BPETokenizer, "train", lambda texts: train_tokenizer(texts, 270))
        factories.use_corpus(patch, factories.corpus(talks(20), talks(48), talks(3)))
        patch.chdir(folder)
        train_team.main([name])


if __name__ == "__main__":
    record(main)(Path(sys.argv[1]), sys.argv[2])
