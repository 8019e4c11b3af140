"""ONNX: the same logits, in pieces too; a bot that says the same; and a sentence where the packages or the file are missing."""

import pytest
import torch

from helpers import extras
from helpers.bots.bot import Bot
from helpers.compression.onnx_export import OnnxGPT, export_onnx, quantize_onnx
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.extras import missing
from helpers.generation.sampling import generate
from helpers.generation.speculative_decoding import speculative_generate
from tests.factories import bot, conversation, gpt, ngram, rnn, tokenizer  # noqa: F401

needs_packages = pytest.mark.skipif(
    bool(missing("onnx", "onnxruntime", "onnxscript")), reason="the extra [export] is not installed"
)
SIZE = 102  # as many tokens as the tokenizer of the tests has


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A GPT with every part of today's recipe, exported once for all tests: that takes seconds."""
    model = gpt(SIZE, n_embd=32, n_kv_head=1, bigram_rows=31, std=0.2, context=48)
    return model, export_onnx(model, tmp_path_factory.mktemp("onnx") / "gpt.onnx")


@needs_packages
def test_the_logits_are_those_of_torch_in_pieces_and_side_by_side(exported):
    model, path = exported
    onnx = OnnxGPT(path)
    for rows, cuts in ((1, ()), (1, (1, 2, 3)), (3, (7,)), (2, (1,))):
        ids, state, parts = torch.randint(SIZE, (rows, 20)), None, []
        for piece in torch.tensor_split(ids, cuts, dim=1):
            logits, state = onnx(piece, state)
            parts.append(logits)
        torch.testing.assert_close(torch.cat(parts, dim=1), model(ids)[0], atol=1e-4, rtol=0)
        assert state.length == 20
    assert (onnx.context, onnx.vocab_size, onnx.parameter_count()) == (48, SIZE, model.parameter_count())


@needs_packages
def test_gpt2s_architecture_can_be_exported_too(tmp_path):
    model, ids = gpt(recipe="gpt2", std=0.3), torch.randint(16, (2, 9))
    onnx = OnnxGPT(export_onnx(model.train(), tmp_path / "gpt2.onnx"))
    assert model.training
    torch.testing.assert_close(onnx(ids)[0], model.eval()(ids)[0], atol=1e-4, rtol=0)


@needs_packages
def test_it_writes_what_torch_writes_beyond_the_context_and_as_the_model_of_a_draft(exported):
    model, path = exported
    onnx, settings = OnnxGPT(path), {"max_tokens": 80, "temperature": 0}
    wanted = list(generate(model, [3, 4, 5], **settings))
    assert list(generate(onnx, [3, 4, 5], **settings)) == wanted
    assert list(speculative_generate(onnx, ngram(SIZE, first=0), [3, 4, 5], **settings)) == wanted


@needs_packages
def test_a_state_is_cut_as_in_torch(exported):
    onnx, ids = OnnxGPT(exported[1]), torch.randint(SIZE, (2, 9))
    cut, after = onnx(ids)[1].cut(5, ids[:, 4]), torch.tensor([[3], [8]])
    torch.testing.assert_close(onnx(after, cut)[0], onnx(after, onnx(ids[:, :5])[1])[0], atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="a state of 9 tokens cannot be cut to 10"):
        onnx(ids)[1].cut(10, ids[:, 4])


@needs_packages
def test_it_stands_in_for_the_model_of_a_bot(exported, tokenizer):  # noqa: F811
    model, path = exported
    assert len(tokenizer) == SIZE
    for seed in range(3):
        replies = {
            Bot(each, tokenizer).reply(["Hello there!"], seed=seed, max_tokens=20) for each in (model, OnnxGPT(path))
        }
        assert len(replies) == 1 and replies != {""}
    talks = [conversation("How is the soup?", "It is fine."), conversation("Hello!", "Hi.", "Bye.")]
    bits = [bits_per_byte_on(each, tokenizer, talks) for each in (model, OnnxGPT(path))]
    assert bits[0] == pytest.approx(bits[1], abs=1e-4)


@needs_packages
def test_eight_bits_are_smaller_and_close(exported, tmp_path):
    model, path = exported
    small = quantize_onnx(path, tmp_path / "int8.onnx")
    assert small.stat().st_size < path.stat().st_size - 2 * model.parameter_count()  # 3 of 4 bytes of most weights
    ids = torch.randint(SIZE, (2, 9))
    quantized, wanted = OnnxGPT(small)(ids)[0], model(ids)[0]
    # On the mean, not at most: processors without instructions for eight bits round single products otherwise.
    assert 1e-5 < (quantized - wanted).square().mean().sqrt() < 0.3 * wanted.std()


@needs_packages
def test_bad_files_models_and_lengths_are_said(exported, tmp_path):
    model, path = exported
    for name, content in (("text.onnx", b"no graph"), ("half.onnx", path.read_bytes()[:2_000]), ("empty.onnx", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is not the ONNX graph of a GPT, or not a whole one"):
            OnnxGPT(tmp_path / name)
        with pytest.raises(ValueError, match=f"{name} is not the ONNX graph"):
            quantize_onnx(tmp_path / name, tmp_path / "to.onnx")
    with pytest.raises(FileNotFoundError):
        OnnxGPT(tmp_path / "absent.onnx")
    with pytest.raises(ValueError, match="a CharRNN cannot be exported"):
        export_onnx(rnn(), tmp_path / "rnn.onnx")
    with pytest.raises(ValueError, match="sees 48 tokens at once, and 49 were given"):
        OnnxGPT(path)(torch.zeros(1, 49, dtype=torch.int64))
    assert not (tmp_path / "to.onnx").exists()


@needs_packages
def test_an_older_torch_is_said(monkeypatch, tmp_path):
    monkeypatch.delattr(torch.onnx, "ops")
    with pytest.raises(ValueError, match="exporting needs torch 2.8 or newer"):
        export_onnx(gpt(), tmp_path / "gpt.onnx")


def test_without_the_packages_a_sentence_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr(extras, "_is_installed", lambda name: False)
    for call in (
        lambda: export_onnx(gpt(), tmp_path / "a.onnx"), lambda: OnnxGPT(tmp_path / "a"), lambda: quantize_onnx("a", "b")
    ):  # fmt: skip
        with pytest.raises(ValueError, match="not installed. To get .*: make extras"):
            call()
