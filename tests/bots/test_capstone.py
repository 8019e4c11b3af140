"""A capstone from its file to its row, as a learner types it: small, in a folder of its own; nothing of the course changes."""

import json

import pytest

from helpers.__main__ import main
from helpers.bots import capstone, capstone_arena, checkpoints
from helpers.bots.capstone_folder import Capstone, read_source
from helpers.bots.capstone_recipes import MonthChatRecipe, MonthRecipe
from helpers.corpus.conversations import digest
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.load import load
from helpers.evaluation import scoreboard
from tests import factories

SMALL = {"n_embd": 8, "n_layer": 1, "n_head": 2, "context": 16, "bigram_rows": 13, "batch_size": 2}


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    (path,) = write_months(tmp_path_factory.mktemp("month"), months=1, comments=700)
    return path


@pytest.fixture
def work(base, checkpoint_folder, tmp_path, monkeypatch):
    """A course of one bot, a folder to work in, and training runs that take a moment."""
    talks = [
        factories.conversation(
            *(f"{word} {number}?" for word in ("hello", "you", "and", "well") * 2), name=f"t{number}"
        )
        for number in range(24)
    ]
    factories.use_corpus(monkeypatch, factories.corpus(talks, talks, talks))
    monkeypatch.setattr(capstone, "MonthRecipe", lambda seconds: MonthRecipe(seconds, **SMALL))
    tuned = lambda seconds, base: MonthChatRecipe(seconds, base, context=16, batch_size=2)  # noqa: E731
    monkeypatch.setattr(capstone, "MonthChatRecipe", tuned)
    monkeypatch.setattr(capstone_arena, "OPPONENTS", ("gpt",))
    monkeypatch.setattr(capstone_arena, "PROMPTS", 8)
    monkeypatch.setattr("helpers.bots.measure.CONTEXTS", 3)
    monkeypatch.setattr(capstone_arena, "judge_of", lambda: Longest())
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    (checkpoint_folder.parent / "scoreboard.csv").write_text(",".join(["bot", *scoreboard.COLUMNS]) + "\n")
    checkpoints.note_metrics("gpt", {"bits per byte": 7.0, "seconds per reply": 0.5})
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


class Longest:
    """A judge that loves length."""

    def score(self, contexts, replies):
        return [len(reply) for reply in replies]


def course_files(folder):
    return {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}


def test_a_month_becomes_a_row_and_nothing_of_the_course_changes(month, work, checkpoint_folder, monkeypatch, capsys):
    monkeypatch.setattr(capstone, "LEAST_TEXT", 1000)
    before = course_files(checkpoint_folder)
    assert main(["capstone", "all", str(month), "--minutes", "0.02"]) == 0
    assert course_files(checkpoint_folder) == before
    out, folder = capsys.readouterr().out, work / "build" / "capstone" / "RC_2012-01"
    assert sorted(path.name for path in folder.iterdir()) == [
        "bot", "conversations.jsonl", "pretrained", "replies.json", "scoreboard.csv"
    ]  # fmt: skip
    rows = (folder / "scoreboard.csv").read_text().splitlines()
    assert rows[0] == ",".join(f'"{name}"' if "," in name else name for name in capstone_arena.COLUMNS)
    names = {line.split(",")[0] for line in rows[1:]}
    assert names == {"RC_2012-01", "RC_2012-01 (pretrained)", "gpt", *capstone_arena.OTHERS}
    assert "the judge is" in out.lower() and "python -m helpers chat build/capstone/RC_2012-01/bot" in out

    bot = checkpoints.load(folder / "bot")
    assert bot.name == "RC_2012-01" and isinstance(bot.reply(["hello"], seed=0, max_tokens=3), str)
    row = capstone.row(month)
    board = scoreboard.with_row(scoreboard.read(), "mine", row)
    assert board.loc["mine", "bits per byte"] == f"{row['bits per byte']:.4g}" and row["bytes"] > 0

    (number, turns, replies), *_ = capstone.pairs(month)
    assert number == 0 and turns and {"RC_2012-01", "people"} < set(replies)

    monkeypatch.setattr(capstone, "arena", lambda *which: which)
    assert main(["capstone", "all", str(month)]) == 0  # goes on where it stopped: nothing is trained again
    assert capsys.readouterr().out.count("done before") == 3


def test_a_small_month_begins_with_the_course_s_gpt_and_says_so(month, work, checkpoint_folder, capsys):
    capstone.read(month, "small")
    bot = capstone.pretrain(month, "small")
    out = capsys.readouterr().out
    assert "too little to learn English from" in out and "The pretrained GPT is the course's gpt." in out
    assert checkpoints.card(Capstone(month, "small").pretrained)["recipe"]["base"] == "gpt"
    assert bot.tokenizer.tokens == checkpoints.load("gpt").tokenizer.tokens
    capstone.finetune(month, "small", minutes=0.01)
    table = capstone.arena(month, "small")
    assert (
        "small" in table.index and "small (pretrained)" not in table.index
    )  # that is the course's gpt, which is there
    assert "held-out conversations are too few to measure on" in capsys.readouterr().out
    assert table["bits per byte, your month"].isna().all()
    assert table["bits per byte, the course"]["small"] > 0 and table.loc["gpt", "bits per byte, the course"] == 7.0


@pytest.mark.parametrize(("stage", "first"), [("pretrain", "read"), ("finetune", "pretrain"), ("arena", "finetune")])
def test_a_stage_names_the_one_that_is_missing(stage, first, month, work, capsys):
    assert main(["capstone", stage, str(month), "--name", "mine"]) == 1
    assert f"First: python -m helpers capstone {first} {month} --name mine" in capsys.readouterr().err
    assert not (work / "build").exists()


def test_too_little_is_said_in_a_sentence(work, tmp_path, capsys):
    (month,) = write_months(tmp_path / "tiny", months=1, comments=30, compress=False)
    assert main(["capstone", "all", str(month)]) == 1
    assert "conversations to learn from" in (words := capsys.readouterr().err) and "Take a later month" in words
    (tmp_path / "empty.jsonl").write_text('{"id": "a"}\n')
    for file, words in (("nowhere.zst", "no file or folder"), ("empty.jsonl", "empty.jsonl")):
        assert main(["capstone", "read", str(tmp_path / file)]) == 1 and words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["read", "x.zst", "--minutes", "3"], "read takes no --minutes"),
        (["arena", "x.zst", "--base", "gpt"], "arena takes no --base"),
        (["all", "x.zst", "--minutes", "0"], "give a number above 0"),
        (["read", "x.zst", "--name", "../x"], "makes no name of a folder"),
        (["read", "..zst"], "makes no name of a folder"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words, work, capsys):
    assert main(["capstone", *arguments]) == 1 and words in capsys.readouterr().err


def test_an_interrupted_training_goes_on(month, work, monkeypatch, capsys):
    import helpers.corpus.batches.token_stream as batches

    monkeypatch.setattr(capstone, "LEAST_TEXT", 1000)
    capstone.read(month)
    read, stopped = batches.WindowBatches.__getitem__, []

    def interrupted(self, number):
        if number == 3 and not stopped:
            stopped.append(number)
            raise KeyboardInterrupt
        return read(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(batches.WindowBatches, "__getitem__", interrupted)
        assert main(["capstone", "pretrain", str(month), "--minutes", "0.05"]) == 1
    assert "the same command goes on from" in capsys.readouterr().err
    folder = Capstone(month).folder
    assert (folder / "pretrained.pt").exists() and not (folder / "pretrained").exists()
    assert (
        main(["capstone", "pretrain", str(month), "--minutes", "0.01"]) == 0 and not (folder / "pretrained.pt").exists()
    )


def test_a_base_of_the_course_and_no_other(month, work, capsys):
    capstone.read(month)
    with pytest.raises(ValueError, match="there is no base 'rnn'"):
        capstone.pretrain(month, base="rnn")
    assert capstone.pretrain(month, base="gpt").name == "RC_2012-01 (pretrained)"


def test_a_damaged_file_of_conversations_is_said(month, work):
    path = Capstone(month).file("conversations.jsonl")
    capstone.read(month)
    path.write_text(path.read_text()[:-50])
    with pytest.raises(ValueError, match="is damaged: read the month again"):
        capstone.pretrain(month)


def test_a_month_is_read_as_notebook_01_reads_it_and_a_large_one_in_part(month):
    whole = read_source(month)
    assert digest(whole) == digest(load(month)) and whole.card == load(month).card
    some = read_source(month, comments=600)
    assert some.card.warnings[-1] == "The first 600 comments were read, and no more."
    assert some.card.counts["comments read"] == 600 and some.card.counts["turns"] < whole.card.counts["turns"]
    few = read_source(month, most=40)
    assert few.card.warnings[-1].startswith("Of more conversations, 40 were taken")
    assert few.card.counts["conversations"] == 40


def test_a_month_with_little_to_validate_on_gives_a_tenth_of_its_training_conversations():
    talks = factories.conversations(30)
    corpus = capstone.with_validation(factories.corpus(talks, talks[:1]))
    assert corpus.val == [talks[0], talks[0], talks[10], talks[20]] and len(corpus.train) == 27
    assert not {talk.id for talk in corpus.train} & {"c0", "c10", "c20"}
    enough = factories.corpus(talks, talks[:20])
    assert capstone.with_validation(enough) is enough


def test_prompts_are_held_out_conversations_without_their_end():
    talks = [
        factories.conversation("a", "b"),
        factories.conversation("c", "d", "e"),
        factories.conversation("f", "g" * 201),
    ]
    prompts = capstone_arena.month_prompts(talks)
    assert [(prompt.number, prompt.turns, prompt.reply) for prompt in prompts] == [
        (0, ["a"], "b"),
        (1, ["c", "d"], "e"),
    ]


def test_conversations_are_stored_as_lines_of_json(month, work):
    capstone.read(month)
    card, first, *_ = Capstone(month).file("conversations.jsonl").read_text().splitlines()
    assert json.loads(card)["origin"] == "Reddit comments, RC_2012-01.zst"
    assert set(json.loads(first)) == {"split", "id", "thread", "turns"}
