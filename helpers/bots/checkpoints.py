"""Every bot of the course as a small checkpoint, with its recipe, its measurements and a hash (notebook 02 on).

A checkpoint is a folder in ``data/checkpoints``: ``model.safetensors`` (numbers only: nothing in it can run),
``tokenizer.json``, and ``card.json``, which is written last and holds the hashes of the other two (of the tokenizer with
LF line ends, so that a checkout with CRLF passes). A bot tuned with LoRA (``helpers.models.lora``) is stored as the LoRA
matrices alone: its card names the base bot, and both are loaded. One that was quantized (``helpers.compression``) is stored
in its few bits; loaded, it computes in float32. The commands are those of ``python -m helpers bots``.
"""

import json
import shutil
from importlib import import_module
from pathlib import Path

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.load import load_tokenizer
from helpers.io import file_sha256, write_bytes, write_text

FILES = ("model.safetensors", "tokenizer.json")
# These have never read a conversation: they can be loaded, and are no bots (notebooks 07 and 16). The command that trains each.
PRETRAINED = {"gpt-docs": "experiments transfer", "gpt-pictures": "experiments pictures"}


class DamagedCheckpoint(ValueError):
    """A checkpoint whose files are missing, or not the ones that were measured."""


def folder() -> Path:
    """Return the folder of all checkpoints."""
    return data_path() / "checkpoints"  # not data_path("checkpoints"): before the first training there is none


def _place(name: str | Path) -> Path:
    return name if isinstance(name, Path) else folder() / name


def names() -> list[str]:
    """Return the names of the bots that can be loaded, oldest idea first."""
    from helpers.evaluation.scoreboard import BOTS

    order = [entry.name for entry in BOTS]
    found = (path.parent.name for path in folder().glob("*/card.json"))
    stored = [name for name in found if not name.startswith(".") and name not in PRETRAINED]
    return sorted(stored, key=lambda name: (order.index(name) if name in order else len(order), name))


def load(name: str | Path, device="cpu") -> Bot:
    """Return the bot called ``name``, ready to reply; of a Path the bot in that folder (a capstone's, say).

    Raises ValueError, with the known names, for one that is not there, and DamagedCheckpoint (a ValueError) when a file
    is not the one that was measured: then get the repository's files again, or train the bot again. What torch raises
    for a ``device`` that is not there, or is out of memory, is left as it is: the files are in order.
    """
    record, files = verify(name)
    try:
        if record["kind"] == LORA:
            model = _lora_model(name, record, device)
        elif record["kind"] == PACKED:
            model = _packed_model(name, record, device)
        else:
            model = _model(record, files[FILES[0]], device)
    except DamagedCheckpoint:
        raise  # the base's own: it says which files to get
    except (KeyError, TypeError, ValueError):
        raise DamagedCheckpoint(_remedy(name, "its card.json does not fit its model")) from None
    return Bot(model, load_tokenizer(_place(name) / FILES[1]), record.get("name", str(name)))


def card(name: str | Path) -> dict:
    """Return what is known about a checkpoint: kind, config, recipe, metrics, hashes. Raises as ``load`` does."""
    if isinstance(name, Path):
        if not (name / "card.json").exists():
            raise ValueError(f"there is no bot in the folder {name}: no card.json")
    elif name not in names() and not (name in PRETRAINED and (folder() / name / "card.json").exists()):
        if any(path.name == name and path.is_dir() for path in folder().glob("[!.]*")):
            raise DamagedCheckpoint(_remedy(name, "card.json is missing"))
        raise ValueError(f"there is no bot {name!r}; known are {', '.join(names()) or 'none yet'}")
    try:
        record = json.loads((_place(name) / "card.json").read_text(encoding="utf-8"))
        parts = [record[part] for part in ("config", "sha256", "metrics", "recipe")]
        if record["kind"] in (LORA, PACKED, *CLASSES) and all(isinstance(part, dict) for part in parts):
            return record
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise DamagedCheckpoint(_remedy(name, "its card.json cannot be read"))


def save(bot: Bot, recipe: dict, metrics: dict, target: Path | None = None) -> Path:
    """Write a bot's checkpoint and return its folder; an older one of that name stays until the new one is complete.

    The folder is ``target``, or that of the course's bot of this name. Of a model with LoRA the matrices
    alone are written; ``recipe["base"]`` names the bot they are added to. A model from
    ``helpers.compression.quantization.quantized`` is written in its few bits. Raises ValueError when it has been trained
    since, or has neither 4 nor 8 bits; then nothing is written.
    """
    lora, packed = _has_lora(bot.model), None
    if not lora and getattr(bot.model, "packed", None):
        from helpers.compression.packing import packed_tensors, save_packed

        packed = packed_tensors(bot.model)
    target = target or (folder() / "_").with_name(bot.name)
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for left_over in (fresh, old):
        shutil.rmtree(left_over, ignore_errors=True)
    fresh.mkdir(parents=True)
    if lora:
        from helpers.models.lora import save_lora

        save_lora(bot.model, fresh / FILES[0])
    elif packed:
        save_packed(fresh / FILES[0], packed)
    else:
        from safetensors.numpy import save

        write_bytes(fresh / FILES[0], save(_arrays(bot.model)))
    bot.tokenizer.save(fresh / FILES[1])
    kind = type(bot.model).__name__
    if packed:
        kind, config = PACKED, {"model": kind, **bot.model.config}
    else:
        kind, config = (LORA, {"base": recipe["base"]}) if lora else (kind, bot.model.config)
    record = {
        "name": bot.name,
        "kind": kind,
        "config": config,
        "recipe": recipe,
        "metrics": metrics,
        "sha256": {file: file_sha256(file, (fresh / file).read_bytes()) for file in FILES},
    }
    write_text(fresh / "card.json", json.dumps(record, indent=2) + "\n")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return target


def note_metrics(name: str | Path, metrics: dict) -> None:
    """Write measurements on a checkpoint's card."""
    write_text(_place(name) / "card.json", json.dumps({**card(name), "metrics": metrics}, indent=2) + "\n")


def size(name: str | Path) -> int:
    """Return the bytes of a checkpoint's model on disk, with those of its base, if it is a LoRA one.

    Raises DamagedCheckpoint when it is not there.
    """
    record = card(name)
    try:
        own = (_place(name) / FILES[0]).stat().st_size
        return own + size(record["config"]["base"]) if record["kind"] == LORA else own
    except OSError:
        raise DamagedCheckpoint(_remedy(name, f"{FILES[0]} is missing")) from None


def verify(name: str | Path) -> tuple[dict, dict[str, bytes]]:
    """Return the card and the files of a checkpoint if they are the ones that were measured. Raises as ``load`` does."""
    record, files = card(name), {}
    for file in FILES:
        try:
            files[file] = (_place(name) / file).read_bytes()
        except OSError:
            raise DamagedCheckpoint(_remedy(name, f"{file} is missing")) from None
        if file_sha256(file, files[file]) != record["sha256"].get(file):
            raise DamagedCheckpoint(_remedy(name, f"{file} is not the file that was measured"))
    return record, files


def _remedy(name: str | Path, what: str) -> str:
    if isinstance(name, Path):
        return f"the checkpoint in {name} is damaged: {what}. Train it again"
    command = PRETRAINED.get(name, f"bots train {name}")
    return (
        f"the checkpoint {name!r} is damaged: {what}. Get the files again (git checkout data/checkpoints/{name}), "
        f"or train it again: python -m helpers {command}"
    )


def _arrays(model) -> dict:
    """Return a model's numbers as arrays; a network's in 16 bits, half the space for a change too small to measure."""
    from helpers.models.ngram import NGram

    if isinstance(model, NGram):
        return model.tensors()
    arrays, seen = {}, set()
    for name, value in model.state_dict().items():
        if value.data_ptr() not in seen:  # one table under two names is written once
            arrays[name] = value.detach().cpu().half().numpy()
            seen.add(value.data_ptr())
    return arrays


def _has_lora(model) -> bool:
    from helpers.models.lora import LoRALinear

    return hasattr(model, "modules") and any(isinstance(part, LoRALinear) for part in model.modules())


def _lora_model(name: str, record: dict, device):
    """Return the base's model with a checkpoint's LoRA matrices merged into it."""
    from helpers.models.lora import load_lora, merge_lora

    if (base := record["config"]["base"]) not in names():
        raise DamagedCheckpoint(_remedy(name, f"it needs the bot {base!r}, which is not there"))
    return merge_lora(load_lora(load(base).model, _place(name) / FILES[0])).eval().to(device)


def _packed_model(name: str, record: dict, device):
    """Return the model of a card whose file holds codes of few bits; raises ValueError when they do not fit."""
    from helpers.compression.packing import load_into

    config = dict(record["config"])
    model = class_of(config.pop("model")).from_config(config)
    return load_into(model, _place(name) / FILES[0]).eval().to(device)


def _model(record: dict, content: bytes, device):
    """Return the model of a card, with the numbers of its file; raises ValueError when they do not fit."""
    import torch
    from safetensors.numpy import load as read_arrays

    from helpers.models.ngram import NGram

    kind, config, arrays = class_of(record["kind"]), record["config"], read_arrays(content)
    if kind is NGram:
        return kind.from_tensors(arrays, config)
    model = kind.from_config(config)
    tensors = {name: torch.from_numpy(array).float() for name, array in arrays.items()}
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:  # names or shapes that do not fit
        raise ValueError(str(error)) from None
    return model.eval().to(device)


def class_of(kind: str) -> type:
    """Return the class of models called ``kind``, as cards name it: one of CLASSES."""
    module, _, name = CLASSES[kind].rpartition(".")
    return getattr(import_module(module), name)


CLASSES = {
    "NGram": "helpers.models.ngram.NGram",
    "CharRNN": "helpers.models.rnn.CharRNN",
    "Seq2Seq": "helpers.models.seq2seq.Seq2Seq",
    "Transformer": "helpers.models.transformer.Transformer",
    "GPT": "helpers.models.gpt.GPT",
}
LORA = "LoRA"  # the kind of a checkpoint that holds LoRA matrices alone
PACKED = "Packed"  # of one whose matrices are in 4 or 8 bits
