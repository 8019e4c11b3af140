"""The package of drawings loads nothing before it is asked, and names what it has."""

import subprocess
import sys

import pytest

from helpers.show import drawings


def test_every_name_is_a_function_with_a_sentence():
    for name in drawings.__all__:
        function = getattr(drawings, name)
        assert callable(function) and function.__doc__.startswith("Draw "), name
    assert set(drawings.__all__) <= set(dir(drawings))


def test_an_unknown_name_is_answered_with_those_that_exist():
    with pytest.raises(AttributeError, match="no 'picture'; it has unrolled_rnn, "):
        drawings.picture  # noqa: B018


def test_importing_it_loads_nothing_heavy():
    code = "from helpers.show import drawings; drawings.training_loop; import sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
