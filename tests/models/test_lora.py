"""LoRA: nothing changes at first, only the thin matrices learn, merged is the same, and a file fits one model only."""

import copy
import json

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from helpers.corpus.batches.base import Batch
from helpers.models.lora import LoRALinear, add_lora, load_lora, merge_lora, save_lora
from helpers.training import fit, next_token_loss
from tests import factories
from tests.factories import randomized_lora as trained

IDS = torch.arange(12).reshape(2, 6)


def gpt(seed=0):
    """Its table as large as after a training: with the first weights no score can differ from another."""
    return factories.gpt(seed=seed, context=8, zero_output=False, embedding=30)


def scores(model):
    with torch.no_grad():
        return model(IDS)[0]


def test_by_hand():
    linear = nn.Linear(2, 2, bias=False)
    part = LoRALinear(linear, rank=1, alpha=3.0)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        part.A.copy_(torch.tensor([[1.0, 2.0]]))
        part.B.copy_(torch.tensor([[0.5], [0.0]]))
    # A x = 1 + 2 = 3; B A x = (1.5, 0); alpha / rank = 3.
    assert part(torch.tensor([1.0, 1.0])).tolist() == [5.5, 1.0]
    assert part.merged().weight.tolist() == [[2.5, 3.0], [0.0, 1.0]]


def test_alpha_is_divided_by_the_rank():
    linear = nn.Linear(2, 2, bias=False)
    part = LoRALinear(linear, rank=2, alpha=6.0)
    with torch.no_grad():
        linear.weight.copy_(torch.eye(2))
        part.A.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
        part.B.copy_(torch.tensor([[0.5, 1.0], [1.0, 0.0]]))
    # A x = (3, 1); B A x = (2.5, 3); alpha / rank = 6 / 2 = 3.
    assert part(torch.tensor([1.0, 1.0])).tolist() == [8.5, 10.0]
    # B A = [[0.5, 2], [1, 2]], three times that beside the identity.
    assert part.merged().weight.tolist() == [[2.5, 6.0], [3.0, 7.0]]


def test_a_matrix_with_two_uses_is_refused_and_untied_it_merges():
    """Merging into a tied head would change the embedding table, too (case 16)."""
    with pytest.raises(ValueError, match="embed.weight and head.weight are one matrix: .* not tied"):
        add_lora(gpt(), 2, parts=("qkv", "head"))
    torch.manual_seed(0)
    model = factories.gpt(recipe="gpt2", context=8, n_layer=1, tied=False)
    trained(add_lora(model, 2, parts=("qkv", "head")))
    table, before = model.embed.weight.clone(), scores(model)
    torch.testing.assert_close(scores(merge_lora(model)), before, atol=1e-5, rtol=0)
    assert torch.equal(model.embed.weight, table)


def test_at_first_nothing_changes_and_few_numbers_are_trained():
    model = gpt()
    before, all_numbers = scores(model), model.parameter_count()
    add_lora(model, rank=2)
    assert torch.equal(scores(model), before)
    few = sum(p.numel() for p in model.parameters() if p.requires_grad)
    # Of each block: qkv 16 → 48, output 16 → 16, up 16 → 64, down 64 → 16, with two rows and columns each.
    assert few == 2 * 2 * (16 + 48 + 16 + 16 + 16 + 64 + 64 + 16) < 0.2 * all_numbers


def test_only_the_thin_matrices_learn():
    model = add_lora(gpt(), rank=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batch = Batch(IDS[:, :-1], IDS[:, 1:], True)
    history = fit(model, [batch] * 60, steps=60, learning_rate=2e-2, progress=False)
    assert next_token_loss(model, batch).item() < 0.5 * history.frame["loss"].iloc[0]
    changed = {
        name.rpartition(".")[2] for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"A", "B"}


def test_merged_gives_the_same_and_is_a_plain_model_again():
    model = trained(add_lora(gpt(), rank=3))
    expected = scores(model)
    assert not torch.allclose(expected, scores(gpt()), atol=1e-3)
    merge_lora(model)
    assert torch.allclose(scores(model), expected, atol=1e-5)
    assert model.state_dict().keys() == gpt().state_dict().keys()
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_file_comes_back_and_is_small(tmp_path):
    model = trained(add_lora(gpt(), rank=2, alpha=5.0))
    file = save_lora(model, tmp_path / "deep" / "lora.safetensors")
    again = load_lora(gpt(), file)
    assert torch.equal(scores(again), scores(model))
    assert [path.name for path in file.parent.iterdir()] == ["lora.safetensors"]
    assert file.stat().st_size < 4 * model.parameter_count()


def test_the_names_in_the_file_are_those_of_peft(tmp_path):
    file = save_lora(trained(add_lora(gpt(), rank=2, alpha=5.0)), tmp_path / "lora.safetensors")
    with safe_open(file, framework="pt") as opened:
        config, names = json.loads(opened.metadata()["adapter_config"]), set(opened.keys())
        shape = opened.get_tensor("base_model.model.blocks.1.attention.qkv.lora_B.weight").shape
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 2, 5.0)
    assert config["target_modules"] == ["down", "output", "qkv", "up"] and shape == (48, 2)
    assert len(names) == 2 * 2 * 4 and "base_model.model.blocks.0.up.lora_A.weight" in names


def test_grouped_queries_and_swiglu_are_tuned_saved_and_merged_as_all_others(tmp_path):
    config = {"context": 8, "n_kv_head": 1, "activation": "swiglu", "zero_output": False}
    model = trained(add_lora(factories.gpt(**config), rank=2))
    file = save_lora(model, tmp_path / "lora.safetensors")
    with safe_open(file, framework="pt") as opened:
        assert json.loads(opened.metadata()["adapter_config"])["target_modules"] == ["down", "gate", "output", "qkv", "up"]
    again, said = load_lora(factories.gpt(**config), file), scores(model)
    torch.testing.assert_close(scores(again), said)
    torch.testing.assert_close(scores(merge_lora(again)), said, atol=1e-5, rtol=0)


def test_a_file_for_another_model_is_refused_and_changes_nothing(tmp_path):
    file = save_lora(trained(add_lora(gpt())), tmp_path / "lora.safetensors")
    for other in (gpt(seed=7), factories.gpt(context=8, n_embd=8), nn.Linear(2, 2)):
        before = copy.deepcopy(other.state_dict())
        with pytest.raises(ValueError, match="another model"):
            load_lora(other, file)
        assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())


def test_a_missing_or_damaged_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="none.safetensors is no file of save_lora"):
        load_lora(gpt(), tmp_path / "none.safetensors")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(save_lora(add_lora(gpt()), tmp_path / "lora.safetensors").read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged"):
        load_lora(gpt(), damaged)
    content = bytearray((tmp_path / "lora.safetensors").read_bytes())
    content[-3] ^= 255
    damaged.write_bytes(content)
    with pytest.raises(ValueError, match="its numbers are not the ones that were saved"):
        load_lora(gpt(), damaged)
    damaged.write_bytes(safetensors.torch.save({"a": torch.ones(1)}))
    with pytest.raises(ValueError, match="is no file of save_lora"):
        load_lora(gpt(), damaged)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: add_lora(gpt(), rank=0), "rank is 0: give 1 to 16"),
        (lambda: add_lora(gpt(), rank=17), "rank is 17"),
        (
            lambda: add_lora(gpt(), parts=("wheel",)),
            "no matrix is called wheel; this model has down, head, output, qkv, up",
        ),
        (lambda: add_lora(add_lora(gpt())), "has LoRA already"),
        (lambda: merge_lora(gpt()), "has no LoRA: add_lora"),
        (lambda: save_lora(gpt(), "never written"), "has no LoRA"),
    ],
)
def test_wrong_input_is_answered(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_a_rank_that_does_not_fit_leaves_the_model_as_it_was():
    model = gpt()
    with pytest.raises(ValueError, match="rank is 17"):
        add_lora(model, rank=17)
    assert all(parameter.requires_grad for parameter in model.parameters())
