"""The runs behind the message → reply GAN of notebook 08: measured right, every run of its kind, nothing run twice."""

import torch

from helpers.corpus.tiny_exchanges import REPLIES, tiny_exchanges
from helpers.experiments import reply_gan
from helpers.io import read_rows

WORLD = tiny_exchanges()


class Says:
    """A generator that always replies with one of the right replies, chosen by ``pick(number of the sample)``."""

    def __init__(self, pick, shift=0):
        self.pick, self.shift = pick, shift

    def __call__(self, messages):
        number = (messages[:, None] == WORLD.messages).all(-1).int().argmax(1)
        sample = torch.arange(len(messages)) % reply_gan.SAMPLES
        replies = WORLD.replies[(number + self.shift) % len(WORLD.messages), self.pick(sample)]
        return torch.nn.functional.one_hot(replies, len(WORLD.vocabulary)).float()


def test_all_right_replies_are_full_quality_and_full_coverage():
    measured = reply_gan.measure_replies(Says(lambda sample: sample % REPLIES), WORLD)
    assert set(measured.values()) == {1.0}


def test_one_right_reply_each_is_full_quality_and_a_quarter_of_the_coverage():
    measured = reply_gan.measure_replies(Says(lambda sample: 0 * sample), WORLD)
    assert measured["right"] == 1 and measured["coverage"] == 0.25


def test_the_right_reply_to_another_message_fits_some_message_only():
    measured = reply_gan.measure_replies(Says(lambda sample: 0 * sample, shift=1), WORLD)
    assert measured["right"] == 0 and measured["coverage"] == 0 and measured["fits some message"] == 1


def test_each_run_trains_what_its_name_says(monkeypatch):
    called = []
    for name in ("likelihood_step", "reinforce_step", "reply_gan_step"):
        monkeypatch.setattr(reply_gan, name, lambda *given, name=name: called.append((name, *given[6:])))
    for name in reply_gan.RUNS:
        reply_gan.train(reply_gan.ReplyGANRun(name, 0), WORLD, steps=1)
    assert called == [("reply_gan_step",), ("reply_gan_step",), ("reinforce_step", True), ("reinforce_step", False),
                      ("likelihood_step",)]  # fmt: skip


def test_maximum_likelihood_and_reinforce_learn():
    torch.manual_seed(0)
    rng = torch.Generator().manual_seed(0)
    generator, discriminator, optimizers = reply_gan.new_players(WORLD)
    losses = [reply_gan.likelihood_step(generator, optimizers[0], *WORLD.sample(64, rng)) for _ in range(40)]
    assert losses[-1] < losses[0] - 1
    before = [weights.clone() for weights in generator.parameters()]
    reply_gan.reinforce_step(generator, discriminator, *optimizers, *WORLD.sample(64, rng))
    assert any(not torch.equal(now, then) for now, then in zip(generator.parameters(), before))


def test_what_the_table_has_is_not_run_again(tmp_path, monkeypatch):
    reply_gan.main(tmp_path, steps=1, seeds=1)
    rows = read_rows(tmp_path / "reply_gan.csv")
    assert [row["run"] for row in rows] == list(reply_gan.RUNS) and rows[0]["steps"] == 0
    monkeypatch.setattr(reply_gan, "train", lambda *given: 1 / 0)
    reply_gan.main(tmp_path, steps=1, seeds=1)
    assert read_rows(tmp_path / "reply_gan.csv") == rows
