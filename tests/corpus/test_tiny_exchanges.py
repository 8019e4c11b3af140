"""The tiny world: four right replies each, nothing random, held-out messages never sampled."""

import torch

from helpers.corpus.tiny_exchanges import HELD_OUT, REPLIES, tiny_exchanges


def test_every_message_has_four_different_right_replies():
    world = tiny_exchanges()
    assert world.messages.shape == (18, 5) and world.replies.shape == (18, REPLIES, 4)
    assert all(len({tuple(reply) for reply in replies.tolist()}) == REPLIES for replies in world.replies)
    assert world.text(world.messages[0]) == "do you like tea ?"
    assert [world.text(reply) for reply in world.replies[0]] == ["yes i love tea", "no i hate tea", "tea is great", "not so much"]


def test_the_held_out_messages_use_words_that_training_has():
    world = tiny_exchanges()
    assert [world.text(message) for message in world.messages[world.held_out]] == list(HELD_OUT)
    assert set(world.messages[world.held_out].flatten().tolist()) <= set(world.messages[~world.held_out].flatten().tolist())


def test_samples_are_training_pairs_and_repeat_with_the_seed():
    world = tiny_exchanges()
    messages, replies = world.sample(500, torch.Generator().manual_seed(0))
    again = world.sample(500, torch.Generator().manual_seed(0))
    assert torch.equal(messages, again[0]) and torch.equal(replies, again[1])
    texts = {world.text(message) for message in messages}
    assert len(texts) == 15 and not texts & set(HELD_OUT)
    right = {world.text(message): {world.text(reply) for reply in known} for message, known in zip(world.messages, world.replies)}
    assert all(world.text(reply) in right[world.text(message)] for message, reply in zip(messages, replies))
