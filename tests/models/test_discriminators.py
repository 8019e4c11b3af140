"""Discriminators: a logit at every prefix, a critic that sees no token before its value, and nothing changed by padding."""

import pytest
import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.models.discriminators import Discriminator, FeatureDiscriminator, concatenated
from tests.factories import gpt, seq2seq

LONG = Pair([2, 7, 8, 9], [3, 10, 11, 12, 13, 4])
SHORT = Pair([2, 6], [4, 13, 2])


def generator(**changes):
    return seq2seq(scale=3, **changes)


def reading(**changes):
    return FeatureDiscriminator([gpt(15, n_layer=1, noise=0.3).train(), generator(**changes)], vocab_size=15, pad=0)


@pytest.fixture(params=["attention", "fixed vector", "reading"])
def discriminator(request):
    if request.param == "reading":
        return reading().eval()
    return Discriminator(generator(attention=request.param == "attention")).eval()


def changed(pair, place):
    """Return a batch of ``pair`` with another token at ``place`` of its reply."""
    reply = list(pair.reply)
    reply[place] = 14
    return batch_of([Pair(pair.context, reply)], pad=0)


def test_a_logit_reads_its_token_and_no_later_one(discriminator):
    """Token t moves the logits from t on, and the values after t only: a baseline must not know what it is subtracted from."""
    logits, values = discriminator(batch_of([LONG], pad=0))
    for place in range(1, len(LONG.reply)):
        other, others = discriminator(changed(LONG, place))
        moved = (logits != other)[0].tolist()
        assert moved == [False] * (place - 1) + [True] * (len(moved) - place + 1)
        moved = (values != others)[0].tolist()
        assert moved == [False] * place + [True] * (len(moved) - place)


def test_the_context_counts(discriminator):
    other = Pair([2, 8, 8, 9], LONG.reply)
    assert (discriminator(batch_of([LONG], pad=0))[0] != discriminator(batch_of([other], pad=0))[0]).all()


def test_padding_changes_nothing_before_it(discriminator):
    both = discriminator(batch_of([LONG, SHORT], pad=0))
    for found, alone in zip(both, discriminator(batch_of([SHORT], pad=0))):
        assert torch.allclose(found[1, :2], alone[0], atol=1e-6)


def test_it_begins_as_a_copy_and_leaves_the_generator_alone():
    writer = generator()
    before = {name: value.clone() for name, value in writer.state_dict().items()}
    made = Discriminator(writer)
    assert torch.equal(made.backbone.embed.weight, writer.embed.weight)
    made(batch_of([LONG], pad=0))[0].sum().backward()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 1
    assert all(torch.equal(value, before[name]) for name, value in writer.state_dict().items())
    assert all(parameter.grad is None for parameter in writer.parameters())


def test_the_critic_reads_the_discriminators_states_and_does_not_change_them(discriminator):
    discriminator(batch_of([LONG], pad=0))[1].sum().backward()
    assert discriminator.critic.weight.grad.any()
    assert all(parameter.grad is None for name, parameter in discriminator.named_parameters() if "critic" not in name)


@pytest.mark.parametrize("make", [lambda: Discriminator(generator(dropout=0.5)), lambda: reading(dropout=0.5)])
def test_scoring_has_no_dropout_and_no_gradient_but_the_critics(make):
    made = make().train()
    batch = batch_of([LONG, SHORT], pad=0)
    logits, values = made.score(batch)
    assert made.training and torch.equal(logits, made.score(batch)[0])
    assert torch.equal(logits, made.eval()(batch)[0])
    assert not logits.requires_grad and values.requires_grad


def test_readers_are_asked_and_never_trained():
    made = reading()
    before = [value.clone() for reader in made.readers for value in reader.parameters()]
    optimizer = torch.optim.SGD(made.parameters(), 1.0)
    made(batch_of([LONG, SHORT], pad=0))[0].sum().backward()
    optimizer.step()
    after = [value for reader in made.readers for value in reader.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after)) and all(value.grad is None for value in after)
    assert made.parameter_count() < 30_000 and made.gru.weight_ih_l0.grad[:, -4:].any()  # it looks at the surprises
    # Without its readers' surprise the context would be nothing to it.
    blind, other = batch_of([LONG], pad=0), batch_of([Pair([2, 14, 14, 14], LONG.reply)], pad=0)
    assert not torch.equal(made(blind)[0], made(other)[0])


def test_side_by_side_keeps_every_row():
    both = concatenated(batch_of([LONG], pad=0), batch_of([SHORT], pad=0), pad=0)
    expected = batch_of([LONG, SHORT], pad=0)
    assert all(torch.equal(part, other) for part, other in zip(both[:3], expected[:3]))
    assert (both.targets[1] == IGNORED).sum() == 3
