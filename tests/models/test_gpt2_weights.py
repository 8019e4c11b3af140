"""Published weights: our GPT says what Hugging Face's GPT-2 says, and refuses what it cannot read."""

import json

import pytest
import torch

from helpers.generation.sampling import generate
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.gpt2_weights import load_gpt2_weights
from helpers.models.small_gpt import SmallGPT

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=61, n_positions=32, n_embd=24, n_layer=3, n_head=4)
    model = transformers.GPT2LMHeadModel(config).eval()
    for name, parameter in model.named_parameters():  # fresh weights are tiny, biases 0: then any mistake would pass
        torch.nn.init.normal_(parameter, mean=1.0 if "ln" in name and "weight" in name else 0.0, std=0.3)
    return model


@pytest.fixture
def folder(theirs, tmp_path):
    theirs.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_the_logits_are_theirs(theirs, folder):
    ours, ids = GPT.from_pretrained(folder), torch.randint(61, (3, 32))
    with torch.no_grad():
        difference = (ours(ids)[0] - theirs(ids).logits).abs().max()
    assert difference < 1e-4
    assert ours.parameter_count() == sum(p.numel() for p in theirs.parameters())
    assert ours.head.weight is ours.embed.weight


def test_greedy_tokens_are_theirs(theirs, folder):
    prompt = [5, 17, 3]
    said = theirs.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=20, pad_token_id=0, eos_token_id=None)
    ours = list(generate(GPT.from_pretrained(folder), prompt, max_tokens=20, temperature=0))
    assert ours == said[0, len(prompt) :].tolist()


SIZES = {"n_embd": 24, "n_layer": 3, "n_head": 4, "context": 32}


@pytest.mark.parametrize("network", [SmallGPT, GPT])
@pytest.mark.parametrize("source", ["a folder", "a state dict", "a state dict of the part below the head"])
def test_a_network_of_ones_own_with_these_weights_says_what_theirs_says(theirs, folder, network, source):
    model = network(GPTConfig.gpt2(61, **SIZES)).train()
    sources = {"a folder": folder, "a state dict": theirs.state_dict()}
    assert load_gpt2_weights(model, sources.get(source, theirs.transformer.state_dict())) is model and not model.training
    ids = torch.randint(61, (3, 32))
    with torch.no_grad():
        torch.testing.assert_close(model(ids)[0], theirs(ids).logits, atol=1e-4, rtol=0)
    assert model.head.weight is model.embed.weight


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"n_head": 3}, "these weights were trained with 4 heads, and the model has 3"),
        ({"n_layer": 2}, "the weights do not fit the model: Unexpected key.*blocks.2"),
        ({"n_layer": 4}, "the weights do not fit the model: Missing key.*blocks.3"),
        ({"n_embd": 32}, "the weights do not fit the model: size mismatch for"),
    ],
)
def test_weights_of_other_sizes_are_refused_in_words(folder, sizes, words):
    with pytest.raises(ValueError, match=words):
        load_gpt2_weights(SmallGPT(GPTConfig.gpt2(61, **{**SIZES, **sizes})), folder)


def changed(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "no weights in tiny: a file model.safetensors is needed"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x10" * 200), "is damaged .*: fetch the model again"),
        (lambda f: (f / "config.json").unlink(), "no config.json in tiny"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
        (lambda f: changed(f, model_type="llama"), "holds a 'llama'; only the architecture 'gpt2'"),
        (lambda f: changed(f, activation_function="relu"), "activation_function = 'relu'; our GPT computes with 'gelu_new'"),
        (lambda f: changed(f, activation_function="gelu"), "activation_function = 'gelu'; our GPT computes with"),
        (lambda f: changed(f, n_inner=48), "n_inner = 48; our GPT computes with None or 96 only"),
        (lambda f: changed(f, model_type=None), 'does not tell its architecture: if it is a GPT-2, add "model_type"'),
        (lambda f: (f / "config.json").write_text("[]"), "cannot be read"),
        (lambda f: changed(f, n_layer=4), "the weights lack h.3"),
        (lambda f: changed(f, n_layer=2), "hold h.2.* which a GPT-2 of 2 layers does not have"),
        (lambda f: changed(f, n_positions=16), "do not fit its config.json: size mismatch for positions"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(folder, spoil, words):
    spoil(folder)
    with pytest.raises(ValueError, match=words):
        GPT.from_pretrained(folder)


@pytest.mark.parametrize("name", ["gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"])
def test_other_names_of_the_same_parts_are_read(theirs, folder, name):
    changed(folder, activation_function=name, n_inner=96)
    x = torch.linspace(-6, 6, 1001)
    gelu = transformers.activations.ACT2FN[name]
    torch.testing.assert_close(gelu(x), torch.nn.functional.gelu(x, approximate="tanh"), atol=1e-6, rtol=0)
    ids = torch.randint(61, (2, 9))
    with torch.no_grad():
        torch.testing.assert_close(GPT.from_pretrained(folder)(ids)[0], theirs(ids).logits, atol=1e-4, rtol=0)


def test_constants_and_the_table_once_more_are_no_surplus_but_another_head_is(folder):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = {name.removeprefix("transformer."): value for name, value in load_file(path).items()}
    weights["h.0.attn.bias"] = torch.ones(1, 1, 32, 32).tril()
    save_file(weights | {"lm_head.weight": weights["wte.weight"].clone()}, path)
    GPT.from_pretrained(folder)
    save_file(weights | {"lm_head.weight": weights["wte.weight"] + 1}, path)
    with pytest.raises(ValueError, match="the weights hold lm_head.weight"):
        GPT.from_pretrained(folder)


def test_a_folder_at_home_is_found(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert len(GPT.from_pretrained("~/tiny").blocks) == 3


def test_a_truncated_file_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="is damaged"):
        GPT.from_pretrained(folder)


def test_an_unknown_name_and_an_empty_shelf_are_refused_without_a_download(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="no folder and no model we can read; .* one of gpt2, "):
        GPT.from_pretrained("skynet")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match=r"was not downloaded yet: GPT.from_pretrained\('gpt2', download=True\)"):
        GPT.from_pretrained("gpt2")
