"""Checkpoints: what is saved is what is loaded, damage is noticed, and nothing in a checkpoint can run."""

import json
import shutil

import pytest
import torch
from safetensors.numpy import load as read_arrays

import helpers
from helpers.__main__ import main
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.checkpoints import DamagedCheckpoint
from helpers.compression.quantization import quantized
from helpers.models.gpt import GPT
from helpers.models.lora import add_lora
from helpers.models.rnn import CharRNN
from tests import factories

IDS = torch.arange(2, 40)[None]
SHORT = IDS[:, :18]
REMEDY = r"git checkout data/checkpoints/rnn\), or train it again: python -m helpers bots train rnn"


@pytest.fixture
def saved(bot, checkpoint_folder):
    return checkpoints.save(bot, {"recipe": "RNNRecipe", "steps": 3}, {"bits per byte": 1.25})


def spoilt(path, change):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(change(content)))


# --- save and load --------------------------------------------------------------------------------------------------


def test_what_is_loaded_scores_as_what_was_saved_in_sixteen_bits(bot, saved):
    loaded, half = checkpoints.load("rnn"), CharRNN(**bot.model.config).eval()
    half.load_state_dict({name: value.half().float() for name, value in bot.model.state_dict().items()})
    assert torch.equal(loaded.model(IDS)[0], half(IDS)[0])
    assert {value.dtype for value in loaded.model.parameters()} == {torch.float32} and not loaded.model.training
    assert loaded.tokenizer.tokens == bot.tokenizer.tokens and loaded.name == "rnn"
    assert loaded.reply(["Hello"], seed=0, max_tokens=20) == Bot(half, bot.tokenizer).reply(
        ["Hello"], seed=0, max_tokens=20
    )


def test_a_bot_is_loaded_to_a_device_and_saved_from_there(bot, saved, device):
    before = (saved / "model.safetensors").read_bytes()
    loaded = checkpoints.load("rnn", device)
    assert {value.device.type for value in loaded.model.parameters()} == {device.type}
    torch.testing.assert_close(
        loaded.model(IDS.to(device))[0].cpu(), checkpoints.load("rnn").model(IDS)[0], atol=1e-4, rtol=0
    )
    assert isinstance(loaded.reply(["Hello"], seed=0, max_tokens=20), str)
    assert {value.device.type for value in checkpoints.load("rnn", "meta").model.parameters()} == {
        "meta"
    }  # without a GPU, too
    checkpoints.save(loaded, {}, {})
    assert (saved / "model.safetensors").read_bytes() == before


def test_the_files_are_numbers_and_json(bot, saved):
    assert sorted(path.name for path in saved.iterdir()) == ["card.json", "model.safetensors", "tokenizer.json"]
    arrays = read_arrays((saved / "model.safetensors").read_bytes())
    assert {array.dtype.name for array in arrays.values()} == {"float16"}
    assert set(arrays) == set(bot.model.state_dict())
    assert (
        checkpoints.size("rnn")
        == (saved / "model.safetensors").stat().st_size
        < 2.5 * bot.model.parameter_count() + 1000
    )
    assert [path.name for path in saved.parent.iterdir()] == ["rnn"]  # no temporary folder stays


def test_a_gpt_with_grouped_queries_and_swiglu_comes_back_the_same(tokenizer, checkpoint_folder):
    model = factories.gpt(len(tokenizer), n_kv_head=1, activation="swiglu", noise=0.1)
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()  # as the file has it
    checkpoints.save(Bot(model, tokenizer, "gpt"), {}, {})
    again, ids = checkpoints.load("gpt").model, torch.arange(20)[None]
    assert again.config == model.config
    torch.testing.assert_close(again(ids)[0], model(ids)[0])


def test_an_n_gram_comes_back_the_same(tokenizer, checkpoint_folder):
    from helpers.models.ngram import NGram

    stream = tokenizer.encode("the cat sat on the mat and the rat sat on the cat. " * 3)
    model = NGram.count(stream, 4, len(tokenizer)).prune(2, 3)
    path = checkpoints.save(Bot(model, tokenizer, "n-gram"), {}, {})
    assert torch.equal(checkpoints.load("n-gram").model(IDS)[0], model(IDS)[0])
    arrays = read_arrays((path / "model.safetensors").read_bytes())
    assert arrays and {array.dtype.kind for array in arrays.values()} == {"u"}


def test_the_card_says_how_it_was_made_and_what_was_measured(bot, saved):
    card = checkpoints.card("rnn")
    assert card["kind"] == "CharRNN" and card["config"] == bot.model.config and card["name"] == "rnn"
    assert card["recipe"] == {"recipe": "RNNRecipe", "steps": 3} and card["metrics"] == {"bits per byte": 1.25}
    before = {name: (saved / name).read_bytes() for name in checkpoints.FILES}
    checkpoints.note_metrics("rnn", {"bits per byte": 1.5})
    assert checkpoints.card("rnn") == card | {"metrics": {"bits per byte": 1.5}}
    assert {name: (saved / name).read_bytes() for name in checkpoints.FILES} == before
    checkpoints.verify("rnn")


def test_a_new_checkpoint_takes_the_place_of_the_old_one(bot, saved):
    before = checkpoints.load("rnn").model(IDS)[0]
    bot.model.head.bias.data += torch.linspace(0, 1, len(bot.tokenizer))
    checkpoints.save(bot, {}, {})
    assert not torch.equal(checkpoints.load("rnn").model(IDS)[0], before)
    assert [path.name for path in saved.parent.iterdir()] == ["rnn"] and checkpoints.card("rnn")["metrics"] == {}


@pytest.mark.parametrize("step", ["tokenizer", "card"])
def test_a_failed_save_leaves_the_old_checkpoint(bot, saved, monkeypatch, step):
    def fails(*_):
        raise OSError("no space left on device")

    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(*((type(bot.tokenizer), "save") if step == "tokenizer" else (checkpoints, "write_text")), fails)
        bot.model.head.bias.data += 1
        with pytest.raises(OSError, match="no space"):
            checkpoints.save(bot, {}, {})
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert checkpoints.names() == ["rnn"]  # the half-written folder is none
    checkpoints.verify("rnn")
    checkpoints.save(bot, {}, {})  # and is no hindrance
    assert [path.name for path in saved.parent.iterdir()] == ["rnn"]


def test_names_stand_in_the_order_of_the_course(bot, checkpoint_folder):
    assert checkpoints.names() == []
    for name in ("yours", "gpt", "rnn", "n-gram"):
        checkpoints.save(Bot(bot.model, bot.tokenizer, name), {}, {})
    assert checkpoints.names() == ["n-gram", "rnn", "gpt", "yours"]


def test_the_real_folder_need_not_exist_before_the_first_training(tmp_path, monkeypatch):
    monkeypatch.setattr(helpers, "_HERE", tmp_path / "helpers")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample_comments.jsonl").touch()
    assert checkpoints.folder() == tmp_path / "data" / "checkpoints" and checkpoints.names() == []


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", checkpoints.FILES)
def test_one_changed_byte_is_noticed(saved, file):
    content = bytearray((saved / file).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / file).write_bytes(content)
    for action in (checkpoints.load, checkpoints.verify):
        with pytest.raises(DamagedCheckpoint, match=f"'rnn' is damaged: {file} is not the file that was.*{REMEDY}"):
            action("rnn")


def test_other_line_ends_in_a_checkout_are_no_damage(bot, saved):
    tokenizer, model = saved / "tokenizer.json", saved / "model.safetensors"
    for path in (tokenizer, saved / "card.json"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert b"\r\n" in tokenizer.read_bytes()
    checkpoints.verify("rnn")
    assert checkpoints.load("rnn").tokenizer.tokens == bot.tokenizer.tokens
    model.write_bytes(b"\r\n" + model.read_bytes())
    with pytest.raises(DamagedCheckpoint, match="model.safetensors is not the file"):
        checkpoints.verify("rnn")


@pytest.mark.parametrize("file", checkpoints.FILES)
@pytest.mark.parametrize("length", [0, 50])
def test_a_truncated_file_is_noticed(saved, file, length):
    (saved / file).write_bytes((saved / file).read_bytes()[:length])
    with pytest.raises(DamagedCheckpoint, match=f"{file} is not the file that was measured.*{REMEDY}"):
        checkpoints.load("rnn")


@pytest.mark.parametrize("file", [*checkpoints.FILES, "card.json"])
def test_a_missing_file_is_noticed(saved, file):
    (saved / file).unlink()
    with pytest.raises(DamagedCheckpoint, match=f"{file} is missing.*{REMEDY}"):
        checkpoints.load("rnn")


@pytest.mark.parametrize(
    "content", [b"", b"{broken", b"[]", b"[[1]]", b"7", b"null", b"\xff\xfe", b'{"kind": "CharRNN"}']
)
def test_a_card_that_is_none_is_noticed(saved, content):
    (saved / "card.json").write_bytes(content)
    with pytest.raises(DamagedCheckpoint, match=f"its card.json cannot be read.*{REMEDY}"):
        checkpoints.load("rnn")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Oracle"},
        {"kind": ["CharRNN"]},
        {"sha256": None},
        {"metrics": []},
        {"config": "large"},
    ],
)
def test_a_card_with_nonsense_on_it_is_noticed(saved, change):
    spoilt(saved / "card.json", lambda card: card | change)
    with pytest.raises(DamagedCheckpoint, match=f"its card.json cannot be read.*{REMEDY}"):
        checkpoints.load("rnn")


@pytest.mark.parametrize("change", [{"hidden_size": 9}, {"kind": "gru"}, {"color": "red"}, {"hidden_size": "wide"}])
def test_a_card_of_another_model_is_noticed(saved, change):
    spoilt(saved / "card.json", lambda card: card | {"config": card["config"] | change})
    with pytest.raises(DamagedCheckpoint, match=f"its card.json does not fit its model.*{REMEDY}"):
        checkpoints.load("rnn")


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("to", RuntimeError("no such device")),
        ("to", AssertionError("no CUDA")),
        ("__init__", RuntimeError("out of memory")),
    ],
)
def test_a_missing_device_or_full_memory_is_no_damage(saved, monkeypatch, place, fault):
    def fails(*arguments, **settings):
        raise fault

    monkeypatch.setattr(CharRNN, place, fails)
    with pytest.raises(type(fault), match=str(fault)):
        checkpoints.load("rnn")


def test_a_device_that_is_not_there_is_no_damage(saved):
    absent = "cuda" if not torch.cuda.is_available() else "mps"
    with pytest.raises((RuntimeError, AssertionError)) as error:
        checkpoints.load("rnn", absent)
    assert not isinstance(error.value, DamagedCheckpoint)


def test_a_hash_that_is_not_on_the_card_is_no_hash(saved):
    spoilt(saved / "card.json", lambda card: card | {"sha256": {}})
    with pytest.raises(DamagedCheckpoint, match="not the file that was measured"):
        checkpoints.verify("rnn")


@pytest.mark.parametrize(
    "name", ["skynet", "../checkpoints/rnn", "../rnn", "./rnn", "rnn/", "/", "", ".", "..", ".rnn.old", "RNN"]
)
def test_only_names_are_names(saved, name):
    shutil.copytree(saved, saved.parent.parent / "rnn")  # there is one at ../rnn
    shutil.copytree(saved, saved.parent / ".rnn.old")
    for action in (checkpoints.load, checkpoints.card, checkpoints.verify):
        with pytest.raises(ValueError, match="there is no bot .*; known are rnn$"):
            action(name)


def test_a_bot_that_is_called_like_a_path_is_not_saved(bot, checkpoint_folder):
    bot.name = "../elsewhere"
    with pytest.raises(ValueError):
        checkpoints.save(bot, {}, {})
    assert not (checkpoint_folder.parent / "elsewhere").exists()


def test_a_path_is_a_folder_of_your_own(bot, checkpoint_folder, tmp_path):
    own = tmp_path / "mine" / "bot"
    assert checkpoints.save(bot, {}, {}, own) == own and not checkpoint_folder.exists()
    checkpoints.note_metrics(own, {"bits per byte": 2.5})
    loaded = checkpoints.load(own)
    assert loaded.name == "rnn" and torch.equal(loaded.model(IDS)[0], checkpoints.load(own).model(IDS)[0])
    assert checkpoints.card(own)["metrics"] == {"bits per byte": 2.5} and checkpoints.size(own) > 0
    with pytest.raises(ValueError, match="there is no bot in the folder .*elsewhere"):
        checkpoints.load(tmp_path / "elsewhere")
    (own / "model.safetensors").write_bytes(b"")
    with pytest.raises(
        DamagedCheckpoint, match="mine/bot is damaged: model.safetensors is not the file.* Train it again$"
    ):
        checkpoints.load(own)


# --- the command line -----------------------------------------------------------------------------------------------


def test_list_and_verify(bot, saved, capsys):
    bot.name = "yours"
    checkpoints.save(bot, {}, {})
    assert main(["bots", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["rnn", "1.25", "bits", "per", "byte", "0.0", "MB"],
        ["yours", "not", "measured", "yet", "0.0", "MB"],
    ]
    assert main(["bots", "verify"]) == 0
    assert capsys.readouterr().out == "".join(
        f"{name}: these are the files that were measured\n" for name in ("rnn", "yours")
    )
    assert main(["bots", "verify", "rnn"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_verify_fails_in_words(saved, capsys):
    (saved / "model.safetensors").write_bytes(b"")
    assert main(["bots", "verify"]) == 1
    out, err = capsys.readouterr()
    assert not out and err.startswith("the checkpoint 'rnn' is damaged: model.safetensors is not the file")
    assert main(["bots", "verify", "skynet"]) == 1
    assert "there is no bot 'skynet'; known are rnn" in capsys.readouterr().err


def test_list_fails_in_words(saved, capsys):
    (saved / "model.safetensors").unlink()
    assert main(["bots", "list"]) == 1
    assert "model.safetensors is missing" in capsys.readouterr().err


# --- a difference that lies beside its base -------------------------------------------------------------------------


def with_lora(bot, name="dpo"):
    model = add_lora(checkpoints.load(bot.name).model, rank=2)
    for number, (part, value) in enumerate(model.named_parameters()):
        if part.endswith(".B"):
            value.data += torch.linspace(-1, 1, value.numel()).view_as(value) * (number + 1) / 20
    return Bot(model.eval(), bot.tokenizer, name)


def test_a_difference_is_stored_alone_and_loaded_with_its_base(base):
    bot = with_lora(base)
    scores = bot.model(SHORT)[0]
    path = checkpoints.save(bot, {"base": "gpt"}, {})
    assert not torch.allclose(scores, base.model(SHORT)[0], atol=1e-3)
    loaded = checkpoints.load("dpo")
    torch.testing.assert_close(loaded.model(SHORT)[0], scores, atol=1e-5, rtol=1e-4)
    assert isinstance(loaded.model, GPT) and loaded.model.parameter_count() == base.model.parameter_count()
    own = (path / "model.safetensors").stat().st_size
    assert checkpoints.size("dpo") == own + checkpoints.size("gpt") and checkpoints.card("dpo")["config"] == {
        "base": "gpt"
    }
    checkpoints.verify("dpo")


def test_a_difference_beside_another_base_is_refused(base, tokenizer):
    checkpoints.save(with_lora(base), {"base": "gpt"}, {})
    other = factories.gpt(len(tokenizer), n_layer=1, seed=1)
    checkpoints.save(Bot(other, tokenizer, "gpt"), {}, {})
    with pytest.raises(DamagedCheckpoint, match="'dpo' is damaged.*bots train dpo"):
        checkpoints.load("dpo")


def test_a_base_that_is_missing_or_damaged_is_named(base, checkpoint_folder):
    checkpoints.save(with_lora(base), {"base": "gpt"}, {})
    path = checkpoint_folder / "gpt" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedCheckpoint, match="the checkpoint 'gpt' is damaged"):
        checkpoints.load("dpo")
    shutil.rmtree(checkpoint_folder / "gpt")
    with pytest.raises(DamagedCheckpoint, match="'dpo' is damaged.*needs the bot 'gpt'"):
        checkpoints.load("dpo")


def test_a_card_without_its_base_is_damaged(base, checkpoint_folder):
    path = checkpoints.save(with_lora(base), {"base": "gpt"}, {}) / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"config": {}}))
    with pytest.raises(DamagedCheckpoint, match="its card.json does not fit"):
        checkpoints.load("dpo")


# --- few bits -------------------------------------------------------------------------------------------------------


def in_few_bits(base, bits=4, name="gpt-int4"):
    return Bot(quantized(base.model, bits, 8, symmetric=bits == 8), base.tokenizer, name)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_packed_bot_is_saved_and_loaded_as_it_is(base, bits):
    bot = in_few_bits(base, bits)
    path = checkpoints.save(bot, {"bits": bits}, {})
    loaded, card = checkpoints.load("gpt-int4"), checkpoints.card("gpt-int4")
    assert card["kind"] == "Packed" and card["config"] == {"model": "GPT", **json.loads(json.dumps(base.model.config))}
    assert isinstance(loaded.model, GPT) and loaded.model(SHORT)[0].equal(bot.model(SHORT)[0])
    assert not loaded.model.training and loaded.model.head.weight is loaded.model.embed.weight
    stored = read_arrays((path / "model.safetensors").read_bytes())
    assert stored["embed.weight.codes"].dtype == "uint8" and stored["embed.weight.scale"].dtype == "float16"
    assert checkpoints.size("gpt-int4") == (path / "model.safetensors").stat().st_size
    checkpoints.verify("gpt-int4")
    first = card["sha256"]
    checkpoints.save(loaded, {"bits": bits}, {})  # what was loaded can be saved, and is the same file
    assert checkpoints.card("gpt-int4")["sha256"] == first


def test_a_damaged_packed_file_is_said(base):
    """Damage that the hash sees, and, with the hash of the damaged file on the card, damage that only reading it shows."""
    path = checkpoints.save(in_few_bits(base), {}, {})
    content, card = (path / "model.safetensors").read_bytes(), checkpoints.card("gpt-int4")
    other = in_few_bits(Bot(factories.gpt(len(base.tokenizer), n_layer=2), base.tokenizer, "gpt"))
    checkpoints.save(Bot(other.model, base.tokenizer, "other"), {}, {})
    whole = (path.parent / "other" / "model.safetensors").read_bytes()
    for damaged in (content[:-3], content[:100], b"", whole, (path.parent / "gpt" / "model.safetensors").read_bytes()):
        (path / "model.safetensors").write_bytes(damaged)
        spoilt(path / "card.json", lambda _: card)
        with pytest.raises(
            DamagedCheckpoint, match="'gpt-int4' is damaged: model.safetensors is not the file that was"
        ):
            checkpoints.load("gpt-int4")
        sha = card["sha256"] | {"model.safetensors": helpers.io.file_sha256("model.safetensors", damaged)}
        spoilt(path / "card.json", lambda _: card | {"sha256": sha})  # noqa: B023
        with pytest.raises(DamagedCheckpoint, match="'gpt-int4' is damaged: its card.json does not fit its model. Get"):
            checkpoints.load("gpt-int4")


@pytest.mark.parametrize("config", [{}, {"model": "Packed"}, {"model": "GPT"}, {"model": "GPT", "n_head": 3}])
def test_a_card_that_does_not_fit_a_packed_file_is_said(base, config):
    path = checkpoints.save(in_few_bits(base), {}, {})
    spoilt(path / "card.json", lambda card: card | {"config": config})
    with pytest.raises(DamagedCheckpoint, match="its card.json does not fit its model"):
        checkpoints.load("gpt-int4")


def test_a_packed_bot_that_cannot_be_stored_is_refused_and_nothing_is_written(base, checkpoint_folder):
    bot = in_few_bits(base)
    bot.model.embed.weight.data += 1
    for wrong in (bot, Bot(quantized(base.model, 3), base.tokenizer, "gpt-int3")):
        with pytest.raises(ValueError, match="quantize (the model again|it again)"):
            checkpoints.save(wrong, {}, {})
    assert [path.name for path in checkpoint_folder.iterdir()] == ["gpt"]


def test_a_difference_may_lie_beside_few_bits(base):
    """LoRA on a quantized base, as QLoRA (Dettmers et al. 2023): the matrices alone are stored, the base stays packed."""
    checkpoints.save(in_few_bits(base), {}, {})
    bot = with_lora(checkpoints.load("gpt-int4"), "tuned")
    scores = bot.model(SHORT)[0]
    checkpoints.save(bot, {"base": "gpt-int4"}, {})
    assert checkpoints.card("tuned")["kind"] == "LoRA"
    torch.testing.assert_close(checkpoints.load("tuned").model(SHORT)[0], scores, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("name", "most", "lost"), [("gpt-int8", 6e6, 0.001), ("gpt-int4", 3.7e6, 0.01)])
def test_the_packed_bots_of_the_course_are_as_small_and_as_good_as_they_are_said_to_be(name, most, lost):
    record, base = checkpoints.card(name), checkpoints.card("gpt")
    assert record["kind"] == "Packed" and checkpoints.size(name) == record["metrics"]["bytes"] <= most
    assert record["metrics"]["bits per byte"] <= base["metrics"]["bits per byte"] + lost
    small, model = checkpoints.load(name).model, checkpoints.load("gpt").model
    how = record["recipe"]
    again = quantized(model, how["bits"], how["group"], how["symmetric"])
    assert small(IDS)[0].equal(again(IDS)[0]) and small.packed.keys() == again.packed.keys()
