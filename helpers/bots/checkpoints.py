"""The zoo: every bot of the course as a small checkpoint, with its recipe, its measurements and a hash (notebook 02 on).

    python -m helpers bots list
    python -m helpers bots train rnn       train it again (no name: all), measure it, rewrite its scoreboard row
    python -m helpers bots measure rnn     measure it again, on a computer that does nothing else
    python -m helpers bots judge rnn       can its replies be told from people's? (notebook 08)
    python -m helpers bots verify          are the files the ones that were measured?

A checkpoint is a folder in ``data/checkpoints``: ``model.safetensors`` (numbers only: nothing in it can run),
``tokenizer.json``, and ``card.json``, which is written last and holds the hashes of the other two. A bot tuned with LoRA
(``helpers.models.lora``) is only a difference: its card names the bot it lies beside, and both are loaded.
"""

import hashlib
import json
import shutil
from importlib import import_module
from pathlib import Path

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.load import load_tokenizer
from helpers.io import write_text

FILES = ("model.safetensors", "tokenizer.json")


class DamagedCheckpoint(ValueError):
    """A checkpoint whose files are missing, or not the ones that were measured."""


def folder() -> Path:
    """Return the folder of all checkpoints."""
    return data_path() / "checkpoints"  # not data_path("checkpoints"): before the first training there is none


def names() -> list[str]:
    """Return the names of the bots that can be loaded, oldest idea first."""
    from helpers.evaluation.scoreboard import ENTRIES

    order = [entry.name for entry in ENTRIES]
    found = [path.parent.name for path in folder().glob("*/card.json") if not path.parent.name.startswith(".")]
    return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))


def load(name: str, device="cpu") -> Bot:
    """Return the bot called ``name``, ready to reply.

    Raises ValueError, with the known names, for one that is not there, and DamagedCheckpoint (a ValueError) when a file
    is not the one that was measured: then get the repository's files again, or train the bot anew.
    """
    from safetensors.numpy import load as read_arrays

    record, files = _verified(name)
    try:
        if record["kind"] == LORA:
            model = _beside(name, record["config"]["base"], device)
        else:
            model = KINDS[record["kind"]](read_arrays(files["model.safetensors"]), record["config"], device)
    except DamagedCheckpoint:
        raise  # the base's own: it says which files to get
    except (KeyError, RuntimeError, TypeError, ValueError):  # RuntimeError: torch's word for shapes that do not fit
        raise DamagedCheckpoint(_remedy(name, "its card.json does not fit its model")) from None
    return Bot(model, load_tokenizer(folder() / name / "tokenizer.json"), name)


def card(name: str) -> dict:
    """Return what is known about a checkpoint: kind, config, recipe, metrics, hashes. Raises as ``load`` does."""
    if name not in names():
        if any(path.name == name and path.is_dir() for path in folder().glob("[!.]*")):
            raise DamagedCheckpoint(_remedy(name, "card.json is missing"))
        raise ValueError(f"there is no bot {name!r}; known are {', '.join(names()) or 'none yet'}")
    try:
        record = json.loads((folder() / name / "card.json").read_text(encoding="utf-8"))
        parts = [record[part] for part in ("config", "sha256", "metrics", "recipe")]
        if record["kind"] in (LORA, *KINDS) and all(isinstance(part, dict) for part in parts):
            return record
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise DamagedCheckpoint(_remedy(name, "its card.json cannot be read"))


def verify(name: str) -> None:
    """Return if the files of a checkpoint are the ones that were measured. Raises as ``load`` does."""
    _verified(name)


def save(bot: Bot, recipe: dict, metrics: dict) -> Path:
    """Write a bot's checkpoint and return its folder; an older one of that name stays until the new one is complete.

    Of a model with LoRA the difference alone is written; ``recipe["base"]`` says which bot it lies beside.
    """
    from safetensors.numpy import save as written

    lora = _has_lora(bot.model)
    target = folder() / bot.name
    fresh, old = target.with_name(f".{bot.name}.new"), target.with_name(f".{bot.name}.old")
    for left_over in (fresh, old):
        shutil.rmtree(left_over, ignore_errors=True)
    fresh.mkdir(parents=True)
    if lora:
        from helpers.models.lora import save_lora

        save_lora(bot.model, fresh / FILES[0])
    else:
        (fresh / FILES[0]).write_bytes(written(_arrays(bot.model)))
    bot.tokenizer.save(fresh / "tokenizer.json")
    record = {
        "name": bot.name,
        "kind": LORA if lora else type(bot.model).__name__,
        "config": {"base": recipe["base"]} if lora else bot.model.config,
        "recipe": recipe,
        "metrics": metrics,
        "sha256": {file: hashlib.sha256((fresh / file).read_bytes()).hexdigest() for file in FILES},
    }
    write_text(fresh / "card.json", json.dumps(record, indent=2) + "\n")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return target


def note_metrics(name: str, metrics: dict) -> None:
    """Write measurements on a checkpoint's card."""
    write_text(folder() / name / "card.json", json.dumps({**card(name), "metrics": metrics}, indent=2) + "\n")


def size(name: str) -> int:
    """Return the bytes of a checkpoint's model on disk, with the one it lies beside, if it is a difference.

    Raises DamagedCheckpoint when it is not there.
    """
    record = card(name)
    try:
        own = (folder() / name / FILES[0]).stat().st_size
        return own + size(record["config"]["base"]) if record["kind"] == LORA else own
    except OSError:
        raise DamagedCheckpoint(_remedy(name, f"{FILES[0]} is missing")) from None


def _verified(name: str) -> tuple[dict, dict[str, bytes]]:
    record, files = card(name), {}
    for file in FILES:
        try:
            files[file] = (folder() / name / file).read_bytes()
        except OSError:
            raise DamagedCheckpoint(_remedy(name, f"{file} is missing")) from None
        if hashlib.sha256(files[file]).hexdigest() != record["sha256"].get(file):
            raise DamagedCheckpoint(_remedy(name, f"{file} is not the file that was measured"))
    return record, files


def _remedy(name: str, what: str) -> str:
    return (
        f"the checkpoint {name!r} is damaged: {what}. Get the files again (git checkout data/checkpoints/{name}), "
        f"or train it anew: python -m helpers bots train {name}"
    )


def _arrays(model) -> dict:
    """Return a model's numbers as arrays; a network's in 16 bits, half the space for a change nobody can measure."""
    if hasattr(model, "tensors"):
        return model.tensors()
    arrays, seen = {}, set()
    for name, value in model.state_dict().items():
        if value.data_ptr() not in seen:  # one table under two names is written once
            arrays[name] = value.detach().cpu().half().numpy()
            seen.add(value.data_ptr())
    return arrays


def _has_lora(model) -> bool:
    if not hasattr(model, "modules"):
        return False
    from helpers.models.lora import LoRALinear

    return any(isinstance(part, LoRALinear) for part in model.modules())


def _beside(name: str, base: str, device):
    """Return the base's model with a checkpoint's difference added."""
    from helpers.models.lora import load_lora, merge_lora

    if base not in names():
        raise DamagedCheckpoint(_remedy(name, f"it lies beside {base!r}, which is not there"))
    return merge_lora(load_lora(load(base).model, folder() / name / FILES[0])).eval().to(device)


def class_of(kind: str) -> type:
    """Return the class of models called ``kind``, as cards name it: one of NETWORKS."""
    module, _, name = NETWORKS[kind].rpartition(".")
    return getattr(import_module(module, __package__), name)


def _network(kind: str):
    def load(arrays: dict, config: dict, device):
        import torch

        made = class_of(kind)
        model = made.from_config(config) if hasattr(made, "from_config") else made(**config)
        model.load_state_dict({name: torch.from_numpy(array).float() for name, array in arrays.items()})
        return model.eval().to(device)

    return load


def _ngram(arrays: dict, config: dict, device):
    from helpers.models.ngram import NGram

    return NGram.from_tensors(arrays, config)


NETWORKS = {
    "CharRNN": "..models.rnn.CharRNN",
    "Seq2Seq": "..models.seq2seq.Seq2Seq",
    "Transformer": "..models.transformer.Transformer",
    "GPT": "..models.gpt.GPT",
}
LORA = "LoRA"  # the kind of a checkpoint that is a difference to another
KINDS = {"NGram": _ngram, **{kind: _network(kind) for kind in NETWORKS}}
