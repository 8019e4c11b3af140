"""What is read from a model is what the model has."""

import pytest
from torch import nn

from helpers.models.gpt import GPTConfig
from helpers.show.drawings.parts import kind_of_norm, parameter_count, read_gpt, read_transformer, short
from tests import factories


class OwnAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.n_head = config.n_head
        self.qkv, self.output = nn.Linear(config.n_embd, 3 * config.n_embd), nn.Linear(config.n_embd, config.n_embd)


class OwnBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(config.n_embd), nn.LayerNorm(config.n_embd)
        self.attention = OwnAttention(config)
        self.up, self.down = nn.Linear(config.n_embd, 4 * config.n_embd), nn.Linear(4 * config.n_embd, config.n_embd)


class OwnGPT(nn.Module):
    """A GPT as a learner writes it: the same names, no settings."""

    def __init__(self, config):
        super().__init__()
        self.embed, self.positions = nn.Embedding(config.vocab_size, config.n_embd), nn.Embedding(config.context, config.n_embd)
        self.blocks = nn.ModuleList(OwnBlock(config) for _ in range(config.n_layer))
        self.norm, self.head = nn.LayerNorm(config.n_embd), nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.head.weight = self.embed.weight


def test_a_learners_gpt_reads_like_the_packages():
    config = GPTConfig.gpt2(30, context=12, n_embd=16, n_layer=2, n_head=4)
    own, theirs = read_gpt(OwnGPT(config)), read_gpt(config)
    assert own == theirs and own.tied and own.positions == "learned" and own.context == 12


def test_parts_sum_to_the_whole():
    model = factories.gpt(recipe="gpt2", tied=False)
    parts = read_gpt(model)
    norms = parameter_count(model.norm) + sum(parameter_count(block.norm_1, block.norm_2) for block in model.blocks)
    rest = parts.embedding_parameters + parts.position_parameters + parts.head_parameters + norms
    block = parts.block
    assert rest + parts.n_layer * (block.attention_parameters + block.feed_forward_parameters) == parts.parameters
    transformer = read_transformer(factories.transformer(n_layer=2))
    whole = transformer.embedding_parameters + transformer.encoder_parameters + transformer.decoder_parameters
    assert whole == transformer.parameters and transformer.n_encoder == transformer.n_decoder == 2


def test_groups_of_queries_and_gates_are_seen():
    model = factories.gpt()
    block = model.blocks[0]
    block.attention.n_kv_head, block.gate = 1, nn.Linear(16, 64)
    parts = read_gpt(model).block
    assert parts.heads == "2 heads of 8, 1 of keys and values" and parts.gated and parts.activation == "SwiGLU"
    assert parts.feed_forward_parameters == parameter_count(block.up, block.down, block.gate)


def test_a_matrix_that_is_used_twice_counts_once():
    layer = nn.Linear(3, 4)
    assert parameter_count(layer, layer, None) == 16


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9_999, "9,999"), (33_000, "33.0 k"), (131_712, "132 k"), (999_999, "1.0 M"), (124_439_808, "124 M"),
     (1_557_611_200, "1.6 B"), (174_604_000_000, "175 B")],
)  # fmt: skip
def test_counts_are_spoken(count, text):
    assert short(count) == text


def test_norms_have_names():
    assert kind_of_norm(nn.LayerNorm(2)) == "LayerNorm" and kind_of_norm(nn.Identity()) == "Identity"
    assert kind_of_norm(factories.gpt().norm) == "RMSNorm"
