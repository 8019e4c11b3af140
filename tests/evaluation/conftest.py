"""The evaluator that several tests share."""

from tests.evaluation.small_language import evaluator  # noqa: F401
