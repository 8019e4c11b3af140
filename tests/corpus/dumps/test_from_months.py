"""From a folder of months to the Corpus that ``load`` makes, by an engine of any kind."""

import os

import pytest

from helpers import data_path
from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import digest
from helpers.corpus.dumps.archives import UnreadableFile
from helpers.corpus.dumps.from_months import build, run_here
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.load import load
from helpers.extras import missing

BOTH = ["jsonl", pytest.param("parquet", marks=pytest.mark.skipif(bool(missing("pyarrow")), reason="no pyarrow"))]


@pytest.fixture
def source(tmp_path):
    write_months(tmp_path / "months", months=3, comments=250)
    return tmp_path / "months"


def backwards(function, arguments, **options):
    """An engine that does the last task first, and each one twice, as engines may."""
    results = [function(*each, **options) for each in arguments[::-1]]
    assert [function(*each, **options) for each in arguments[::-1]] == results
    return results[::-1]


def same(corpus, other) -> bool:
    return corpus == other and digest(corpus) == digest(other) and str(corpus.card) == str(other.card)


@pytest.mark.parametrize("format", BOTH)
@pytest.mark.parametrize("run", [run_here, backwards])
def test_the_corpus_is_that_of_load(source, tmp_path, format, run):
    corpus = build(source, tmp_path / "work", parts=5, format=format, run=run)
    assert same(corpus, load(source))
    strict = Filter(same_text=1, same_text_characters=5, max_words=30)
    corpus = build(source, tmp_path / "work", parts=5, format=format, run=run, filter=strict, pairs=True)
    assert corpus.card.dropped["comments: same text again"]
    assert same(corpus, load(source, filter=strict, pairs=True))


def test_the_specimen_and_the_months_of_one_file(tmp_path):
    path = data_path("sample_comments.jsonl")
    corpus, loaded = build(path, tmp_path, parts=3), load("sample")
    assert corpus.train == loaded.train and corpus.card.dropped == loaded.card.dropped


def test_a_broken_month_and_an_empty_one_are_named_on_the_card(source, tmp_path):
    paths = sorted(source.iterdir())
    os.truncate(paths[0], paths[0].stat().st_size - 100)
    paths[2].write_bytes(b"")
    corpus = build(source, tmp_path / "work", parts=2)
    assert same(corpus, load(source))
    assert f"{paths[0].name} breaks off before its end" in str(corpus.card)
    assert f"{paths[2].name} is empty (0 bytes)" in str(corpus.card)


def test_no_comment_at_all_is_an_error(tmp_path):
    for number in (1, 2):
        (tmp_path / f"RC_2012-0{number}.zst").write_bytes(b"")
    with pytest.raises(UnreadableFile, match="RC_2012-01.zst is empty .*; RC_2012-02.zst is empty"):
        build(tmp_path, tmp_path / "work")


def test_what_killed_processes_left_is_swept_away(source, tmp_path):
    left = tmp_path / "work" / "rows" / ".RC_2012-01.zst.abc"
    left.mkdir(parents=True)
    (left / "0000.jsonl").write_text("{brok")

    def leaves_more(function, arguments, **options):
        again = tmp_path / "work" / "texts" / ".0001.def"
        again.mkdir(parents=True, exist_ok=True)
        return run_here(function, arguments, **options)

    assert same(build(source, tmp_path / "work", parts=2, run=leaves_more), load(source))
    assert not list((tmp_path / "work").rglob(".*"))


def test_other_months_in_the_folder_are_refused(source, tmp_path):
    build(source, tmp_path / "work", parts=2)
    (source / "RC_2012-02.zst").unlink()
    with pytest.raises(ValueError, match=r"holds work on other months \(RC_2012-02.zst\): give another folder"):
        build(source, tmp_path / "work", parts=2)


def test_a_convokit_corpus_is_sent_to_load(tmp_path):
    (tmp_path / "utterances.jsonl").write_text("")
    with pytest.raises(ValueError, match="is a ConvoKit corpus.*use helpers.corpus.load.load"):
        build(tmp_path, tmp_path / "work")
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        build(tmp_path / "nowhere", tmp_path / "work")
