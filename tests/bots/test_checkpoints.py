"""The zoo: what is saved is what is loaded, damage is noticed, and nothing in a checkpoint can run."""

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
from helpers.models.rnn import CharRNN

IDS = torch.arange(2, 40)[None]
REMEDY = r"git checkout data/checkpoints/rnn\), or train it anew: python -m helpers bots train rnn"


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


@pytest.mark.parametrize("change", [{"width": 9}, {"kind": "gru"}, {"color": "red"}, {"width": "wide"}])
def test_a_card_of_another_model_is_noticed(saved, change):
    spoilt(saved / "card.json", lambda card: card | {"config": card["config"] | change})
    with pytest.raises(DamagedCheckpoint, match=f"its card.json does not fit its model.*{REMEDY}"):
        checkpoints.load("rnn")


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
