"""Questions: the label is the mark, the mark is gone, both classes are of one size."""

import numpy as np
import pytest

from helpers.robustness.questions import plain_letters, question_examples
from tests.factories import conversation

TALK = conversation(
    "Do you like soup? I like soup! It's café-style soup.",
    "You like fish. You like fish? Really?!",
    "Where do you live?!",
)


def test_what_the_classifier_can_read():
    assert plain_letters("Café  DON’T stop, 24/7!\nOk？") == "cafe don't stop 24 7 ok"
    assert plain_letters("ｂａｄ Привет") == "bad" and plain_letters("?!") == ""


def test_the_label_is_the_mark_and_the_mark_is_gone():
    examples = question_examples([TALK])
    found = dict(zip(examples.texts, examples.labels.tolist()))
    # "you like fish" is both and left out, "really" is too short.
    assert found == {"do you like soup": 1, "where do you live": 1, "i like soup": 0, "it's cafe style soup": 0}
    assert examples.labels.dtype == np.int64 and not set("?!.") & set("".join(examples.texts))


def test_classes_are_of_one_size_and_the_order_is_random():
    talks = [
        conversation(*(f"is this number {n} of {k}? this is one. this is two {n}{k}." for n in range(5)))
        for k in range(9)
    ]
    examples = question_examples(talks, 20)
    assert examples.labels.sum() == 20 and len(examples.texts) == len(set(examples.texts)) == 40
    assert examples.texts == question_examples(talks, 20).texts != question_examples(talks, 20, seed=1).texts
    assert 0 < examples.labels[:20].sum() < 20
    with pytest.raises(ValueError, match="there are 45 questions and 46 other sentences: 99 of each"):
        question_examples(talks, 99)
    with pytest.raises(ValueError, match="there are 0 questions"):
        question_examples([conversation("I like soup. You do not.")])
