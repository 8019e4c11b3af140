"""Parts of tensors and whole ones; with real parts in ``test_distributed``, here what one process can see of it."""

import torch

from helpers.training.fsdp import held, split_optimizer, split_tensors, whole_tensors
from tests.factories import rnn


class Part:
    """A stand-in for a tensor of which this process holds a part."""

    def __init__(self, whole):
        self.whole = whole

    def full_tensor(self):
        return self.whole


def test_parts_are_put_together_wherever_they_are():
    whole = torch.arange(4)
    found = whole_tensors(
        {"model": {"a": Part(whole), "b": whole}, "more": [Part(whole), (1, Part(whole))], "none": None}
    )
    assert found["model"] == {"a": whole, "b": whole} and found["none"] is None
    assert found["more"][0] is whole and found["more"][1] == (1, whole) and isinstance(found["more"][1], tuple)


def test_a_model_that_is_not_cut_holds_all_and_is_left_as_it_is():
    model = rnn()
    assert held(model) == sum(value.numel() for value in model.parameters())
    tensors = {"some": torch.ones(2), **model.state_dict()}
    assert all(value is tensors[name] for name, value in split_tensors(tensors, model).items())
    optimizer = torch.optim.AdamW(model.parameters())
    sum(value.sum() for value in model.parameters()).backward()
    optimizer.step()
    before = [state["exp_avg"] for state in optimizer.state.values()]
    split_optimizer(optimizer)
    assert all(state["exp_avg"] is old for state, old in zip(optimizer.state.values(), before))
