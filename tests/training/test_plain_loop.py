"""The loop that learners write is the one inside ``fit``."""

import copy

import torch

from helpers.corpus.batches.token_stream import StreamBatches
from helpers.models.rnn import CharRNN
from helpers.training import CarriedState, fit
from helpers.training.plain_loop import train


def test_it_is_fit_without_a_schedule():
    torch.manual_seed(0)
    batches = StreamBatches(torch.randint(0, 11, (900,), dtype=torch.int16), 4, 8)
    first = CharRNN(11, "lstm", hidden_size=6, embedding_size=4)
    second = copy.deepcopy(first)
    optimizer = torch.optim.AdamW(first.parameters(), lr=5e-3, betas=(0.9, 0.99), weight_decay=0)
    losses = train(first, [batches[step] for step in range(12)], optimizer, CarriedState())
    settings = {"learning_rate": 5e-3, "schedule": "constant", "warmup": 0, "loss": CarriedState(), "progress": False}
    history = fit(second, batches, steps=12, **settings)
    torch.testing.assert_close(torch.tensor(losses), torch.tensor([row[3] for row in history.rows]), rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(first.parameters(), second.parameters()):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
