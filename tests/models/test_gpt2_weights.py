"""Published weights: our GPT says what Hugging Face's GPT-2 says, and refuses what it cannot read."""

import json

import pytest
import torch

from helpers.generation.sampling import generate
from helpers.models.gpt import GPT

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
        (lambda f: changed(f, activation_function="relu"), "activation_function = 'relu'; only 'gelu_new'"),
        (lambda f: changed(f, n_layer=4), "the weights lack h.3"),
        (lambda f: changed(f, n_positions=16), "do not fit its config.json: size mismatch for places"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(folder, spoil, words):
    spoil(folder)
    with pytest.raises(ValueError, match=words):
        GPT.from_pretrained(folder)


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
