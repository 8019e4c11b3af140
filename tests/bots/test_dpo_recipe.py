"""The recipe of the bot tuned by preferences: a small difference beside its base, which tells the pairs apart."""

import pytest
import torch

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.dpo_recipe import DPORecipe
from helpers.models.lora import LoRALinear
from helpers.runtime import start
from helpers.training.dpo import DPO
from helpers.training.reward_modeling import LN2
from tests.factories import random_reward_model


def test_the_recipe_tunes_a_small_difference_that_tells_the_pairs_apart(preference_course):
    recipe = DPORecipe(
        contexts=40, replies=4, max_tokens=6, rank=4, batch_size=8, passes=6, learning_rate=0.02, beta=0.05
    )
    seen, reward, loss = [], random_reward_model(), DPO(recipe.beta)

    def watch(history, model):
        seen.append(history.rows[-1][3])

    tokenizer, device = checkpoints.load("gpt-chat").tokenizer, start(seed=0)
    model, seconds = recipe.train(
        preference_course, tokenizer, device, None, reward_model=reward, loss=loss, callbacks=[watch])
    assert any(isinstance(part, LoRALinear) for part in model.modules()) and seconds > 0
    assert seen[0] == pytest.approx(LN2, abs=1e-6) and sum(seen[-3:]) / 3 < 0.9 * LN2
    assert loss.records[-1]["chosen"] > loss.records[-1]["rejected"]
    checkpoints.save(Bot(model, tokenizer, "dpo"), {"base": recipe.base}, {})
    stored, ids = checkpoints.load("dpo").model, torch.tensor([[2, 3, 7, 8]])
    torch.testing.assert_close(stored(ids)[0], model(ids)[0], atol=1e-4, rtol=0)
    assert not torch.allclose(stored(ids)[0], checkpoints.load("gpt-chat").model(ids)[0], atol=1e-2)
