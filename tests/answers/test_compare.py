"""What the checks share: an answer of any kind is taken or refused with a sentence, and never changed unnoticed."""

import math

import numpy as np
import pytest
import torch

from helpers.checks import Untouched, Wrong, checked, compare, exercise, tried


def test_values_are_shown_in_one_short_line():
    assert compare.shown(torch.tensor([[1 / 3, 2.0]], dtype=torch.float64)) == "[[0.333333, 2.0]]"
    assert compare.shown([np.float64(0.1), torch.tensor(3), "a\nb"]) == "[0.1, 3, 'a\\nb']"
    assert len(compare.shown(list(range(100)))) == 60 and compare.shown("x" * 99, 9) == "'xxxxxxx…"


@pytest.mark.parametrize(
    "change",
    [lambda x, more: x.add_(1), lambda x, more: more.append(1), lambda x, more: more[0].pop(), lambda x, more: x.t_()],
)
def test_a_changed_argument_is_noticed(change):
    with pytest.raises(Wrong, match="do not"):
        compare.call(change, torch.ones(2, 3), [[1], [2]], changed="do not")


def test_an_answer_is_handed_on_and_nothing_is_a_stub_only_at_first():
    assert compare.call(lambda x: x[0], [5], changed="") == 5
    assert compare.call(lambda: None, changed="", first=False) is None
    with pytest.raises(Untouched):
        compare.call(lambda: ..., changed="")


@pytest.mark.parametrize("one", [2, 2.0, np.float32(2), np.array([2]), torch.tensor(2.0, requires_grad=True)])
def test_one_number_of_any_kind(one):
    assert compare.number(one, "two") == compare.whole(one) == 2 and compare.near(one, 2)
    assert type(compare.whole(one)) is int


@pytest.mark.parametrize("other", [None, True, "2", [2], torch.ones(2), np.ones((1, 2)), 1j])
def test_everything_else_is_no_number(other):
    with pytest.raises(Wrong, match="I expected one number, a mean, and got a "):
        compare.number(other, "a mean")
    assert not compare.near(other, 2)


def test_whole_numbers_have_no_fraction():
    for value in (0.5, math.inf, math.nan):
        with pytest.raises(Wrong, match="one number, an index, and got"):
            compare.whole(value, "an index")


def test_lists_and_tensors_of_the_right_kind():
    assert compare.items(torch.arange(2), "") == compare.items((0, 1), "") == [0, 1]
    with pytest.raises(Wrong, match="I expected a list and got a str: 'ab'"):
        compare.items("ab", "a list")
    assert compare.tensor(torch.ones(2, requires_grad=True), (2,), "").dtype == torch.float64
    for wrong in ([1.0, 1.0], torch.ones(3), torch.ones(2, dtype=torch.complex64)):
        with pytest.raises(Wrong, match="I expected a row"):
            compare.tensor(wrong, (2,), "a row")
    assert compare.scalar(3, "") == 3 and compare.scalar(torch.tensor(1.0, requires_grad=True), "").requires_grad


def test_tensors_are_the_same_in_shape_and_numbers():
    assert compare.same(torch.tensor([1.0, math.nan]), torch.tensor([1 + 1e-5, math.nan]))
    assert not compare.same(torch.tensor([1.0]), torch.tensor([1.001])) and not compare.same(1.0, torch.tensor(1.0))
    assert not compare.same(torch.ones(1), torch.tensor(1.0))


def test_the_first_known_mistake_is_named():
    compare.refuse_known(torch.tensor(2.0), {"one": 1.0})
    with pytest.raises(Wrong, match="^two$"):
        compare.refuse_known(torch.tensor(2.0), {"one": 1.0, "two": 2.0, "also": 2.0})


def test_a_gradient_that_does_not_flow_is_zero():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert compare.gradient_of(x**2, x).tolist() == [2, 4]
    assert compare.gradient_of((x**2).detach(), x).tolist() == [0, 0]


def test_a_network_is_one():
    layer = torch.nn.Linear(2, 3)
    assert compare.module(layer, "a layer") is layer
    with pytest.raises(Wrong, match="I expected a layer, a torch.nn.Module, and got a str: 'no'"):
        compare.module("no", "a layer")


@exercise
def check_double(double):
    """Double it."""
    if tried(double(2)) != 4:
        raise Wrong("It is not twice as much.")
    return "Twice as much."


def double(number):
    return 2 * number


@pytest.mark.parametrize(
    "mine, own, sentence",
    [
        (lambda number: number + number, True, "✔ Twice as much."),
        (lambda number: number, False, "✘ It is not twice as much."),
        (lambda number: ..., False, "○ Not tried yet"),
        (lambda number: 1 / 0, False, "✘ Your code stopped with ZeroDivisionError"),
    ],
)
def test_the_notebook_runs_what_passes_its_check_and_else_the_package(mine, own, sentence, capsys):
    mine.__name__ = "double"
    assert checked(mine, check_double, otherwise=double) is (mine if own else double)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(sentence)
    assert second == f"→ From here on this notebook runs {'your own' if own else 'the package' + chr(39) + 's'} `double`."


def test_a_check_alone_prints_its_sentence_and_returns_nothing(capsys):
    assert check_double(double) is None
    assert capsys.readouterr().out == "✔ Twice as much.\n"
    assert check_double.verdict(double) == (True, "✔ Twice as much.")
    assert checked(len, check_double, otherwise=double, name="twice") is double
    assert "the package's `twice`" in capsys.readouterr().out


def forgets_the_return(number):
    number * 2


class ForgetsTheReturn:
    def __init__(self, number):
        self.number = number

    def __call__(self):
        self.number * 2


class StillAStub(ForgetsTheReturn):
    def __call__(self):
        """Return it twice."""
        ...


@exercise
def check_doubler(doubler):
    """Doubles what it was made with."""
    return tried(doubler(2)())


def test_a_forgotten_return_is_no_untouched_stub(capsys):
    check_double(forgets_the_return)
    check_doubler(ForgetsTheReturn)
    assert capsys.readouterr().out.count("✘ Your code gave back None. Is a `return` missing at its end?") == 2
    check_doubler(StillAStub)
    check_double(lambda number: ...)
    assert capsys.readouterr().out.count("○ Not tried yet") == 2


def test_the_line_that_failed_is_shown(capsys):
    def double(number):
        table = {}
        return table[number] * 2

    check_double(double)
    assert "KeyError: 2. It was in the line `return table[number] * 2`." in capsys.readouterr().out


def test_where_two_tensors_differ_first():
    expected = torch.arange(6.0).view(2, 3)
    answer = expected.clone()
    answer[1, 0] = 0.25
    assert compare.difference(answer, expected) == "at [1, 0] 0.25 instead of 3"


def test_what_stays_on_the_cpu_is_noticed_without_a_gpu():
    x = torch.ones(2, 2, device="meta")
    with pytest.raises(Wrong, match="device="):
        compare.refuse_fixed_device(lambda: x.masked_fill(torch.ones(2, 2, dtype=torch.bool), 0.0), "device=")
    compare.refuse_fixed_device(lambda: x.masked_fill(torch.ones(2, 2, dtype=torch.bool, device=x.device), 0.0), "")
    compare.refuse_fixed_device(lambda: x.sum().item(), "")  # needs a number, which "meta" has not: not this mistake
