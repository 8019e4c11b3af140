"""The recipe of the bot trained against a discriminator: the run that notebook 08 shows, as a card holds it."""

import json
from dataclasses import asdict

from helpers.bots.gan_recipe import GANRecipe
from helpers.experiments.dialogue_gan import all_runs


def test_the_recipe_is_that_of_the_first_run_and_can_be_written_on_a_card():
    json.dumps(asdict(GANRecipe()))
    assert GANRecipe.base == "seq2seq" and GANRecipe().config == all_runs()[1].config
