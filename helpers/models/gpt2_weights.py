"""Published weights in our own GPT: GPT-2 as Hugging Face stores it (Radford et al. 2019; used in notebook 06).

Nothing is fetched unless you say so: a folder is read, a name such as "gpt2" is looked up among what was downloaded before.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

SIZES = {"context": "n_positions"} | {name: name for name in ("vocab_size", "n_embd", "n_layer", "n_head")}
NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2")
WEIGHTS, SETTINGS = "model.safetensors", "config.json"
# What our fixed architecture takes for granted, the usual value first; another value means another model.
TAKEN_FOR_GRANTED = {
    "activation_function": ("gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"),  # one formula, four names
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
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
MASKS = ("attn.bias", "attn.masked_bias")  # constants that older files hold beside the weights


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
    return sizes, _renamed(_tensors(folder), sizes["n_layer"])


def load_gpt2_weights(model: torch.nn.Module, source) -> torch.nn.Module:
    """Give a network that you have written GPT-2's weights, in place, and return it in evaluation mode.

    The network's parameters must have the names and shapes of ``helpers.models.small_gpt.SmallGPT``'s. ``source`` is a folder
    in Hugging Face's format (see ``read_gpt2``) or a dict with the tensors under Hugging Face's names. Theirs are transposed:
    their matrices are [in, out], those of nn.Linear [out, in]; queries, keys and values stand in the same order. Raises
    ValueError when the weights cannot be read or do not fit.
    """
    if isinstance(source, dict):
        sizes, weights = {}, _renamed(source, len(model.blocks))
    else:
        sizes, weights = read_gpt2(source)
    heads = getattr(model.blocks[0].attention, "n_head", None)
    if heads is not None and heads != sizes.get("n_head", heads):  # no shape would show it
        raise ValueError(f"these weights were trained with {sizes['n_head']} heads, and the model has {heads}")
    if "head.weight" in model.state_dict():  # one table reads and scores
        weights["head.weight"] = weights["embed.weight"]
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"the weights do not fit the model: {str(error).splitlines()[1].strip()}") from None
    return model.eval()


def _downloaded(name: str, download: bool) -> Path:
    if name not in NAMES:
        raise ValueError(
            f"{name!r} is no folder and no model we can read; give a folder with {SETTINGS} and {WEIGHTS}, "
            f"or one of {', '.join(NAMES)}"
        )
    try:
        from huggingface_hub import snapshot_download

        repository = {"distilgpt2": "distilbert/distilgpt2"}.get(name, f"openai-community/{name}")
        return Path(snapshot_download(repository, allow_patterns=[WEIGHTS, SETTINGS], local_files_only=not download))
    except ImportError:
        raise ValueError("to fetch published weights, first: pip install huggingface_hub") from None
    except Exception as error:  # no network, no such file, no room: half a dozen kinds
        if download:
            raise ValueError(f"{name} could not be downloaded ({type(error).__name__}): are you online?") from error
        raise ValueError(
            f"{name} was not downloaded yet: GPT.from_pretrained({name!r}, download=True) fetches it"
        ) from None


def _settings(folder: Path) -> dict:
    """Return what config.json says, after checking that it describes a GPT-2."""
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        kind = settings.get("model_type")
    except FileNotFoundError:
        raise ValueError(f"there is no {SETTINGS} in {folder.name}: is it the folder of a model?") from None
    except (ValueError, AttributeError):
        raise ValueError(f"the {SETTINGS} in {folder.name} cannot be read: fetch the model again") from None
    if kind is None:
        raise ValueError(
            f'the {SETTINGS} in {folder.name} does not tell its architecture: if it is a GPT-2, add "model_type": "gpt2"'
        )
    if kind != "gpt2":
        raise ValueError(f"{folder.name} holds a {kind!r}; only the architecture 'gpt2' can be read")
    if missing := [field for field in SIZES.values() if field not in settings]:
        raise ValueError(f"the {SETTINGS} in {folder.name} does not tell {missing[0]}: fetch the model again")
    for field, values in (TAKEN_FOR_GRANTED | {"n_inner": (None, 4 * settings["n_embd"])}).items():
        if (value := settings.get(field, values[0])) not in values:
            known = " or ".join(map(repr, values))
            raise ValueError(f"{folder.name} has {field} = {value!r}; our GPT computes with {known} only")
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


def _renamed(theirs: dict[str, torch.Tensor], n_layer: int) -> dict[str, torch.Tensor]:
    """Return their tensors under our names, matrices transposed to our side; none is missing, none is left over."""
    theirs = {name.removeprefix("transformer."): value.float() for name, value in theirs.items()}
    names = {"wte.weight": "embed.weight", "wpe.weight": "positions.weight"}
    names |= {f"ln_f.{end}": f"norm.{end}" for end in ("weight", "bias")}
    for layer in range(n_layer):
        for part, our in PARTS.items():
            names |= {f"h.{layer}.{part}.{end}": f"blocks.{layer}.{our}.{end}" for end in ("weight", "bias")}
    if missing := [name for name in names if name not in theirs]:
        raise ValueError(f"the weights lack {missing[0]}: these are not those of a GPT-2 of {n_layer} layers")
    if torch.equal(theirs.get("lm_head.weight", theirs["wte.weight"]), theirs["wte.weight"]):
        theirs.pop("lm_head.weight", None)  # tied: the table, once more
    if unexpected := [name for name in theirs if name not in names and not name.endswith(MASKS)]:
        raise ValueError(
            f"the weights hold {unexpected[0]}, which a GPT-2 of {n_layer} layers does not have: {SETTINGS} belongs to "
            "another model"
        )
    transposed = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    return {our: theirs[name].T if name.endswith(transposed) else theirs[name] for name, our in names.items()}
