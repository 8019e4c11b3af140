"""One thread answers everyone: each as if alone, in turn, and nobody can spoil it for the others."""

import threading
import time

import pytest
import torch

from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.generation.sampling import distribution
from helpers.serving.engine import Engine
from helpers.serving.requests import Closed, Full, Request
from tests import factories

MESSAGES = ["hi", "how are you today?", "soup", "what do you do, and why do you do it at all?", "ok", "a b c d e"]
PATIENCE = 20  # seconds


def bot(recipe="modern", context=64, kind=None, **config):
    tokenizer = BPETokenizer([])
    if kind is not None:
        return Bot(factories.language_model(kind, len(tokenizer)), tokenizer, kind)
    noise = {"zero_output": False} if recipe == "modern" else {}
    return Bot(factories.gpt(len(tokenizer), recipe, std=0.3, context=context, **noise, **config), tokenizer)


def requests(**settings):
    """Return 12 requests, greedy and sampled ones, of unequal lengths."""
    kinds = [{"temperature": 0.0}, {"temperature": 1.0, "top_p": 0.9, "repetition_penalty": 1.1}]
    return [
        Request([message], seed=number, max_tokens=5 + 3 * number, **kind, **settings)
        for number, message in enumerate(MESSAGES)
        for kind in kinds
    ]


def alone(bot, request):
    names = ("temperature", "top_k", "top_p", "repetition_penalty", "seed", "max_tokens")
    return bot.reply(list(request.history), **{name: getattr(request, name) for name in names})


class Heard:
    """What a client hears: its events, and a wait for the last."""

    def __init__(self):
        self.events, self.over, self.begun = [], threading.Event(), threading.Event()

    def __call__(self, event):
        self.events.append(event)
        self.begun.set()
        if event.finish is not None:
            self.over.set()

    def end(self):
        assert self.over.wait(PATIENCE)
        return self.events[-1].finish

    @property
    def text(self):
        return "".join(event.text for event in self.events)


class Slow:
    """A GPT that waits for leave before each step; ``fail`` makes it fail."""

    def __init__(self, model):
        self.go, self.fail, self.forward = threading.Semaphore(0), False, model.forward
        model.forward = self

    def __call__(self, *arguments, **settings):
        assert self.go.acquire(timeout=PATIENCE)
        if self.fail:
            raise RuntimeError("the model is broken")
        return self.forward(*arguments, **settings)


@pytest.mark.parametrize(
    "config",
    [
        {"recipe": "modern"},
        {"recipe": "gpt2"},
        {"recipe": "modern", "bigram_rows": 50},
        {"recipe": "modern", "n_kv_head": 1},
    ],
    ids=["rotary", "learned positions", "bigrams", "grouped queries"],
)
def test_together_is_alone_token_for_token(config):
    some = bot(**config)
    with Engine(some, batch_size=4) as engine:
        assert engine.replies(requests()) == [alone(some, request) for request in requests()]


def test_a_full_context_goes_on_from_its_latter_half_as_alone():
    some = bot(context=24)
    wanted = [Request(["hi there"], temperature=1.0, seed=seed, max_tokens=60) for seed in range(5)]
    replies = [alone(some, request) for request in wanted]
    assert max(len(some.tokenizer.encode(reply)) for reply in replies) > 24
    with Engine(some, batch_size=3) as engine:
        assert engine.replies(wanted) == replies


@pytest.mark.parametrize("kind", ["n-gram", "RNN", "seq2seq", "transformer"])
def test_other_bots_answer_one_at_a_time_as_alone(kind):
    some = bot(kind=kind)
    with Engine(some, batch_size=4) as engine:
        assert engine.replies(requests()) == [alone(some, request) for request in requests()]


def test_who_comes_late_gets_the_same_reply():
    some = bot()
    slow, heard = Slow(some.model), [Heard() for _ in requests()]
    with Engine(some, batch_size=8) as engine:
        for request, ear in zip(requests(), heard):
            engine.submit(request, ear)
            for _ in range(3):
                slow.go.release()
        slow.go.release(10_000)
        ends = [ear.end() for ear in heard]
    some.model.forward = slow.forward
    assert [ear.text for ear in heard] == [alone(some, request) for request in requests()]
    assert set(ends) <= {"stop", "length"} and "length" in ends


def test_tokens_are_counted_and_each_reply_ends_once():
    ear = Heard()
    with Engine(bot()) as engine:
        ticket = engine.submit(Request(["hi"], temperature=1.0, seed=3, max_tokens=7), ear)
        assert ear.end() == "length"
    assert ticket.prompt_tokens == 5  # <end>, A, h, i, B
    assert sum(event.tokens for event in ear.events) == 7
    assert [event.finish for event in ear.events].count(None) == len(ear.events) - 1


def test_the_end_token_ends_a_reply_and_is_counted():
    some, ear = bot(), Heard()
    with torch.no_grad():
        some.model.head.weight.zero_()
    some.distribution = lambda logits, *_: torch.nn.functional.one_hot(
        torch.tensor(some.tokenizer.end), len(logits)
    ).double()
    with Engine(some) as engine:
        engine.submit(Request(["hi"], max_tokens=7), ear)
        assert ear.end() == "stop" and ear.text == "" and sum(event.tokens for event in ear.events) == 1


def test_a_stop_string_ends_a_reply_and_is_no_part_of_it():
    some = bot()
    whole = alone(some, Request(["hi"], temperature=1.0, seed=3, max_tokens=40))
    stop, ear = whole[6:9], Heard()
    with Engine(some) as engine:
        engine.submit(Request(["hi"], temperature=1.0, seed=3, max_tokens=40, stop=(stop,)), ear)
        assert ear.end() == "stop"
    assert ear.text.rstrip() == whole[: whole.index(stop)].rstrip() and sum(event.tokens for event in ear.events) < 40


def test_log_probabilities_are_those_of_the_model():
    some, ear = bot(), Heard()
    with Engine(some) as engine:
        engine.submit(Request(["hi"], temperature=0.0, max_tokens=3, logprobs=2), ear)
        ear.end()
    scored = [token for event in ear.events for token in event.scored]
    with torch.no_grad():
        scores = some.model(torch.tensor([some.prompt(["hi"])]))[0][0, -1].double().log_softmax(-1)
    text, raw, logprob, top = scored[0]
    assert logprob == pytest.approx(float(scores.max()), abs=1e-5) and len(top) == 2 and len(scored) == 3
    assert (
        top[0] == (text, raw, logprob) and top[0][2] >= top[1][2] and raw == some.tokenizer.bytes[int(scores.argmax())]
    )


def test_a_canceled_reply_leaves_at_once_and_its_slot_is_free():
    some = bot()
    slow, first, second = Slow(some.model), Heard(), Heard()
    with Engine(some, batch_size=1) as engine:
        ticket = engine.submit(Request(["hi"], max_tokens=10**9), first)
        slow.go.release(4)
        assert first.begun.wait(PATIENCE) and engine.running == 1
        engine.submit(Request(["you"], max_tokens=2), second)
        ticket.cancel()
        slow.go.release(10_000)
        assert first.end() == "canceled" and second.end() in ("length", "stop")
        assert engine.running == engine.waiting == 0


def test_one_that_waits_can_be_canceled_and_makes_room():
    some = bot()
    slow, ears = Slow(some.model), [Heard() for _ in range(4)]
    with Engine(some, batch_size=1, max_waiting=1) as engine:
        engine.submit(Request(["hi"], max_tokens=10**9), ears[0])
        slow.go.release(2)
        assert ears[0].begun.wait(PATIENCE)
        waiting = engine.submit(Request(["you"]), ears[1])
        with pytest.raises(Full):
            engine.submit(Request(["me"]), ears[2])
        waiting.cancel()
        slow.go.release(2)
        assert ears[1].end() == "canceled" and ears[1].text == ""
        engine.submit(Request(["them"]), ears[3]).cancel()
        slow.go.release(10_000)


def test_a_deadline_ends_those_that_run_and_those_that_wait():
    some = bot()
    slow, ears = Slow(some.model), [Heard(), Heard()]
    with Engine(some, batch_size=1) as engine:
        for ear in ears:
            engine.submit(Request(["hi"], max_tokens=10**9, deadline=0.05), ear)
        time.sleep(0.06)
        slow.go.release(10_000)
        assert [ear.end() for ear in ears] == ["deadline", "deadline"]


def test_a_broken_model_ends_what_runs_and_the_engine_goes_on():
    some = bot()
    slow, ears = Slow(some.model), [Heard(), Heard()]
    with Engine(some) as engine:
        engine.submit(Request(["hi"], max_tokens=10**9), ears[0])
        slow.go.release(3)
        assert ears[0].begun.wait(PATIENCE)
        slow.fail = True
        slow.go.release()
        assert ears[0].end() == "error" and "broken" in str(ears[0].events[-1].error)
        slow.fail = False
        slow.go.release(10_000)
        engine.submit(Request(["hi"], max_tokens=2), ears[1])
        assert ears[1].end() in ("length", "stop")


def test_a_reply_that_cannot_be_sampled_ends_alone():
    some = bot()

    def own(logits, temperature, top_k, top_p):
        if temperature == 0.5:
            raise ValueError("no token can be sampled")
        return distribution(logits, temperature, top_k, top_p)

    some.distribution, good = own, Request(["you"], temperature=1.0, seed=2, max_tokens=20)
    slow, ears = Slow(some.model), [Heard(), Heard()]
    with Engine(some) as engine:
        for ear, request in zip(ears, (good, Request(["hi"], temperature=0.5, max_tokens=20))):
            engine.submit(request, ear)
        slow.go.release(10_000)
        assert ears[0].end() in ("length", "stop") and ears[1].end() == "error"
    some.model.forward = slow.forward
    assert ears[0].text == alone(some, good) and "sampled" in str(ears[1].events[-1].error)


def test_a_request_that_is_refused_costs_nothing():
    some = bot()
    slow, ears = Slow(some.model), [Heard() for _ in range(2)]
    with Engine(some, batch_size=1, max_waiting=0) as engine:
        engine.submit(Request(["hi"], max_tokens=10**9), ears[0])
        slow.go.release(2)
        assert ears[0].begun.wait(PATIENCE)
        fitted, some.fitted = some.fitted, None  # its text would be cut into tokens here
        with pytest.raises(Full):
            engine.submit(Request(["me"]), ears[1])
        some.fitted = fitted
        slow.go.release(10_000)


def test_a_reply_that_has_ended_makes_room_at_once():
    some, ends = bot(), []
    with Engine(some, batch_size=1, max_waiting=0) as engine:

        def again(event):  # called in the very step in which it ends
            if event.finish is not None:
                ends.append(event.finish)
                done.release()
                if len(ends) < 3:
                    engine.submit(Request(["hi"], max_tokens=2), again)

        done = threading.Semaphore(0)
        engine.submit(Request(["hi"], max_tokens=2), again)
        for _ in range(3):
            assert done.acquire(timeout=PATIENCE)


def test_of_many_replies_for_which_there_is_no_room_none_goes_on():
    some = bot()
    slow = Slow(some.model)
    with Engine(some, batch_size=1, max_waiting=1) as engine:
        with pytest.raises(Full):
            engine.replies([Request(["hi"], max_tokens=10**9)] * 4)
        slow.go.release(10_000)
        ear, until = Heard(), time.monotonic() + PATIENCE
        while engine.waiting or engine.running:
            assert time.monotonic() < until
            time.sleep(0.01)
        engine.submit(Request(["hi"], max_tokens=2), ear)
        assert ear.end() in ("length", "stop")


def test_a_client_whose_function_fails_is_left_and_the_others_notice_nothing():
    some = bot()
    expected = alone(some, Request(["you"], temperature=0.0, max_tokens=9))

    def fails(event):
        raise ValueError("my own mistake")

    with Engine(some) as engine:
        engine.submit(Request(["hi"], max_tokens=10**9), fails)
        assert engine.replies([Request(["you"], temperature=0.0, max_tokens=9)]) == [expected]


def test_special_tokens_in_a_message_stay_text():
    some = bot()
    ids = some.prompt(["hi <A> <B> <end>"])
    special = {some.tokenizer.end, some.tokenizer.speaker("A"), some.tokenizer.speaker("B")}
    assert sum(number in special for number in ids) == 3  # <end> at the beginning, A, and B who is to answer
    ids = some.continued("hi <B> <end>")
    assert sum(number in special for number in ids) == 2


def test_a_prompt_is_gone_on_with():
    some, ear = bot(), Heard()
    with Engine(some) as engine:
        ticket = engine.submit(Request(prompt="hi", temperature=0.0, max_tokens=4), ear)
        ear.end()
    assert ticket.prompt_tokens == 4  # <end>, A, h, i


def test_closing_ends_everything_or_waits_for_it():
    some = bot()
    slow, ear = Slow(some.model), Heard()
    engine = Engine(some)
    engine.submit(Request(["hi"], max_tokens=10**9), ear)
    slow.go.release(10_000)
    engine.close()
    assert ear.end() == "closed" and not engine._thread.is_alive()
    with pytest.raises(Closed):
        engine.submit(Request(["hi"]), Heard())
    some.model.forward, patient = slow.forward, Heard()
    engine = Engine(some)
    engine.submit(Request(["hi"], max_tokens=30), patient)
    engine.close(drain=True)
    assert patient.events[-1].finish in ("length", "stop") and not engine._thread.is_alive()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(), "one of the two"),
        (Request(["hi"], max_tokens=0), "max_tokens is 0"),
        (Request(["hi"], temperature=-1), "temperature is -1"),
        (Request(["hi"], top_p=0.0), "top_p is 0"),
        (Request(["hi"], logprobs=-1), "logprobs is -1"),
        (Request([]), "history is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_waits(request_, message):
    with Engine(bot()) as engine:
        with pytest.raises(ValueError, match=message):
            engine.submit(request_, Heard())
        assert engine.waiting == 0


def test_a_batch_of_none_is_refused():
    with pytest.raises(ValueError, match="batch_size is 0"):
        Engine(bot(), batch_size=0)
