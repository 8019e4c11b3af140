"""A ticket tells its client each thing once."""

from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.serving.requests import Request
from helpers.serving.ticket import Ticket
from tests import factories


def ticket(**settings):
    tokenizer, heard, woken = BPETokenizer([]), [], []
    bot = Bot(factories.gpt(len(tokenizer), std=0.3, context=64), tokenizer)
    return Ticket(bot, Request(["hi"], **settings), heard.append, lambda: woken.append(1)), heard, woken


def test_it_ends_once_whatever_comes_after():
    one, heard, _ = ticket()
    one.end("stop")
    one.end("closed")
    one.end("error", error=ValueError())
    assert [event.finish for event in heard] == ["stop"] and one.finish == "stop" and one.done


def test_canceling_wakes_the_engine_and_is_the_first_reason():
    one, _, woken = ticket(deadline=0.0)
    assert one.over(now=1e18) == "deadline" and one.over(now=0.0) is None
    one.cancel()
    one.cancel()
    assert woken == [1, 1] and one.over(now=1e18) == "canceled"


def test_what_was_held_back_is_sent_only_with_a_complete_reply():
    for finish, text in (("length", "ST"), ("canceled", ""), ("deadline", "")):
        one, heard, _ = ticket(stop=("STOP",))
        one.stream.push(one.tokenizer.encode("S")[0])
        one.stream.push(one.tokenizer.encode("T")[0])
        one.end(finish)
        assert heard[-1].text == text


def test_the_same_seed_gives_the_same_generator_and_none_another():
    states = [ticket(seed=seed)[0].sampler.generator.initial_seed() for seed in (1, 1, 2, None, None)]
    assert states[0] == states[1] != states[2] and states[3] != states[4]
