"""Published weights in our own GPT: GPT-2 as Hugging Face stores it (Radford et al. 2019; used in notebook 06).

Nothing is fetched unless you say so: a folder is read, a name such as "gpt2" is looked up among what was downloaded before.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

SIZES = {
    "vocabulary_size": "vocab_size",
    "context": "n_positions",
    "width": "n_embd",
    "layers": "n_layer",
    "heads": "n_head",
}
NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2")
WEIGHTS, SETTINGS = "model.safetensors", "config.json"
# What our fixed architecture takes for granted; another value means another model.
TAKEN_FOR_GRANTED = {
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
    "n_inner": None,
    "tie_word_embeddings": True,
}
# Their name of a layer's part -> ours. Theirs are "Conv1D": matrices [in, out], the transpose of nn.Linear's.
PARTS = {
    "ln_1": "norm_1",
    "attn.c_attn": "attention.qkv",
    "attn.c_proj": "attention.output",
    "ln_2": "norm_2",
    "mlp.c_fc": "up",
    "mlp.c_proj": "down",
}


def read_gpt2(name, download: bool = False) -> tuple[dict, dict[str, torch.Tensor]]:
    """Return the sizes of a GPT-2, as ``GPTConfig.gpt2`` takes them, and its weights under our names, float32.

    ``name`` is a folder with ``config.json`` and ``model.safetensors``, or one of NAMES: then what an earlier download
    left is read, and with ``download=True`` fetched first (about 0.5 GB for "gpt2"; needs the package huggingface_hub).
    Raises ValueError when there are no weights, when they are damaged, or of another architecture.
    """
    folder = Path(name).expanduser()
    folder = folder if folder.is_dir() else _downloaded(str(name), download)
    settings = _settings(folder)
    sizes = {ours: settings[theirs] for ours, theirs in SIZES.items()}
    return sizes, _ours(_tensors(folder), sizes["layers"])


def _downloaded(name: str, download: bool) -> Path:
    if name not in NAMES:
        raise ValueError(
            f"{name!r} is no folder and no model we can read; give a folder with {SETTINGS} and {WEIGHTS}, "
            f"or one of {', '.join(NAMES)}"
        )
    try:
        from huggingface_hub import snapshot_download

        repository = (
            name if "/" in name else {"distilgpt2": "distilbert/distilgpt2"}.get(name, f"openai-community/{name}")
        )
        found = snapshot_download(repository, allow_patterns=[WEIGHTS, SETTINGS], local_files_only=not download)
    except ImportError:
        raise ValueError("to fetch published weights, first: pip install huggingface_hub") from None
    except Exception as error:  # no network, no such file, no room: half a dozen kinds
        if download:
            raise ValueError(f"{name} could not be downloaded ({type(error).__name__}): are you online?") from error
        raise ValueError(
            f"{name} was not downloaded yet: GPT.from_pretrained({name!r}, download=True) fetches it"
        ) from None
    return Path(found)


def _settings(folder: Path) -> dict:
    """Return what config.json says, after checking that it describes a GPT-2."""
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        kind = settings["model_type"]
    except FileNotFoundError:
        raise ValueError(f"there is no {SETTINGS} in {folder.name}: is it the folder of a model?") from None
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"the {SETTINGS} in {folder.name} cannot be read: fetch the model again") from None
    if kind != "gpt2":
        raise ValueError(f"{folder.name} holds a {kind!r}; only the architecture 'gpt2' can be read")
    for field, value in TAKEN_FOR_GRANTED.items():
        if settings.get(field, value) != value:
            raise ValueError(f"{folder.name} has {field} = {settings[field]!r}; only {value!r} can be read")
    missing = [f for f in SIZES.values() if f not in settings]
    if missing:
        raise ValueError(f"the {SETTINGS} in {folder.name} does not say {missing[0]}: fetch the model again")
    return settings


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / WEIGHTS).exists():
        raise ValueError(f"there are no weights in {folder.name}: a file {WEIGHTS} is needed")
    try:
        return load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{WEIGHTS} in {folder.name} is damaged ({error}): fetch the model again") from None


def _ours(theirs: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """Return their tensors under our names, matrices turned to our side."""
    theirs = {name.removeprefix("transformer."): value.float() for name, value in theirs.items()}
    wanted = {"wte.weight": "embed.weight", "wpe.weight": "places.weight"}
    wanted |= {f"ln_f.{end}": f"norm.{end}" for end in ("weight", "bias")}
    for layer in range(layers):
        for part, our in PARTS.items():
            wanted |= {f"h.{layer}.{part}.{end}": f"blocks.{layer}.{our}.{end}" for end in ("weight", "bias")}
    if missing := [name for name in wanted if name not in theirs]:
        raise ValueError(f"the weights lack {missing[0]}: these are not those of a GPT-2 of {layers} layers")
    turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    return {our: theirs[name].T if name.endswith(turned) else theirs[name] for name, our in wanted.items()}
