"""What every room asks of a model: it computes on its device and nowhere else, and dropout is set everywhere or refused."""

from typing import NamedTuple

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.context_reply_pairs import PairBatch, batch_of
from helpers.models.discriminators import Discriminator, FeatureDiscriminator, LikelihoodRatioDiscriminator
from helpers.models.gan import DigitGenerator, LocalTranslator, PointGenerator
from helpers.models.lora import add_lora, merge_lora
from helpers.models.reward_model import RewardModel
from helpers.models.utils import device_of, set_dropout
from helpers.training.losses import to_device
from tests.factories import SPECIAL_IDS, gpt, rnn, seq2seq, transformer

PAIRS = [Pair([2, 7, 8, 9], [3, 10, 11, 12, 4]), Pair([2, 6], [4, 13, 2])]


class EveryTensorOn(TorchDispatchMode):
    """Inside it, an operation that makes a tensor on another device than this one is an error.

    A tensor on "meta" has no content: whatever asks for it, as checks of the input do, gets 1.
    """

    def __init__(self, device):
        super().__init__()
        self.device = torch.device(device)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._local_scalar_dense.default and self.device.type == "meta":
            return 1
        made = function(*args, **(kwargs or {}))
        for value in tree_leaves(made):
            if isinstance(value, torch.Tensor):
                assert value.device.type == self.device.type, f"{function} made a tensor on {value.device}"
        return made


class Inputs(NamedTuple):
    ids: torch.Tensor
    padding: torch.Tensor
    batch: PairBatch
    noise: torch.Tensor
    images: torch.Tensor


def inputs_on(device):
    ids = torch.tensor([[5, 9, 7, 9, 1, 3, 12], [6, 6, 3, 8, 2, 11, 4]])
    batch = to_device(batch_of(PAIRS, pad=0), device)
    rest = (part.to(device) for part in (torch.zeros(4, 5), torch.zeros(2, 1, 8, 8)))
    return Inputs(ids.to(device), torch.tensor([2, 0]).to(device), batch, *rest)


def in_pieces(model, given):
    """Read all at once, and piece by piece with a state."""
    model(given.ids)
    _, state = model(given.ids[:, :4])
    model(given.ids[:, 5:], model(given.ids[:, 4:5], state)[1])


def padded(model, given):
    """Read rows with padding at their beginning, and go on from them; then what each head attends to."""
    _, state = model(given.ids[:, :4], None, given.padding)
    model(given.ids[:, 4:], state)
    model.attention_weights(given.ids[:1])


def replies(model, given):
    """Read contexts and replies, and a reply in two pieces."""
    context, inputs = given.batch.context, given.batch.inputs
    model.read(given.batch)
    mask = torch.ones_like(context, dtype=torch.bool)
    memory = model.encode(context, mask)
    _, state = model.decode(inputs[:, :2], memory, mask)
    model.decode(inputs[:, 2:3], memory, mask, state)


MODELS = {
    "GPT-2": (lambda: gpt(recipe="gpt2"), in_pieces),
    "GPT": (lambda: gpt(bigram_rows=7, tied=False), in_pieces),
    "GPT-2, padded": (lambda: gpt(recipe="gpt2"), padded),
    "GPT, padded": (lambda: gpt(bigram_rows=7), padded),
    "LoRA": (lambda: add_lora(gpt(), 2), in_pieces),
    "merged LoRA": (lambda: merge_lora(add_lora(gpt(), 2)), in_pieces),
    "RNN": (lambda: rnn(16, kind="rnn"), in_pieces),
    "LSTM": (lambda: rnn(16, kind="lstm", n_layer=2, dropout=0.1), in_pieces),
    "seq2seq": (seq2seq, replies),
    "fixed vector": (lambda: seq2seq(attention=False), replies),
    "transformer": (transformer, replies),
    "discriminator": (lambda: Discriminator(seq2seq()), lambda model, given: model(given.batch)),
    "point generator": (lambda: PointGenerator(5, 16), lambda model, given: model(given.noise)),
    "digit generator": (lambda: DigitGenerator(5, 8), lambda model, given: model(given.noise)),
    "translator": (lambda: LocalTranslator(8), lambda model, given: model(given.images)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("meta", [True, False], ids=["meta", "device"])
def test_a_model_makes_every_tensor_on_its_device(name, meta, device):
    """Masks, positions and states too. On "meta", which holds no numbers, a tensor made on the CPU by mistake is seen."""
    build, use = MODELS[name]
    where = torch.device("meta") if meta else device
    model, given = build().to(where), inputs_on(where)
    assert device_of(model).type == where.type
    with EveryTensorOn(where) if meta else torch.no_grad():
        use(model, given)


def test_a_tensor_on_another_device_is_seen():
    with pytest.raises(AssertionError, match="arange.* made a tensor on cpu"), EveryTensorOn("meta"):
        torch.arange(3)


@pytest.mark.parametrize("build", [
    lambda writer, reader: FeatureDiscriminator([reader, writer], vocab_size=15, pad=0),
    LikelihoodRatioDiscriminator,
], ids=["features", "likelihood ratio"])  # fmt: skip
def test_discriminators_with_readers_compute_where_these_are(build, device):
    writer, reader = seq2seq().to(device), gpt(15).to(device)
    logits, values = build(writer, reader).to(device)(to_device(batch_of(PAIRS, pad=0), device))
    assert logits.device.type == values.device.type == device.type and torch.isfinite(logits).all()


def test_a_reward_model_scores_on_its_device_and_returns_numbers_on_the_cpu(device):
    model = RewardModel(gpt(20, zero_output=False, embedding=30), 2, **SPECIAL_IDS)
    torch.nn.init.normal_(model.head.weight)
    expected = model.score(PAIRS)
    scores = model.to(device).score(PAIRS)
    assert device_of(model).type == device.type and scores.device.type == "cpu"
    torch.testing.assert_close(scores, expected, atol=1e-4, rtol=1e-4)


def test_dropout_is_set_everywhere_or_refused():
    model = gpt(40, dropout=0.1)
    set_dropout(model, 0.25)
    assert {part.p for part in model.modules() if isinstance(part, torch.nn.Dropout)} == {0.25}
    with pytest.raises(ValueError, match="dropout is 1"):
        set_dropout(model, 1)
