"""Settings that make no sense are refused by their name."""

import pytest

from helpers.serving.keys import digest
from helpers.serving.settings import Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"deadline": 0}, {"deadline": float("inf")}, {"body_timeout": -1}, {"grace": float("nan")}, {"max_body": 0},
        {"max_messages": 0}, {"max_tokens": -5}, {"max_choices": 0}, {"batch_size": 0}, {"max_waiting": -1},
        {"requests_per_minute": 0}, {"tokens_per_minute": -1}, {"log_texts": "all"}, {"notice": 40.0}, {"notice": -1},
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} is"):
        Settings(**wrong)


def test_a_key_in_the_place_of_its_hash_is_refused_and_not_repeated():
    with pytest.raises(ValueError, match="the key of 'anna' is no SHA-256") as error:
        Settings(keys={"anna": "sk-secret"})
    assert "secret" not in str(error.value)
    Settings(keys={"anna": digest("sk-secret")})
