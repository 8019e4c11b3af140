"""A request's body as JSON, strictly: what the standard library lets pass and no other program understands is refused.

Python's ``json`` reads NaN and Infinity, turns 1e999 into infinity, and ends with a RecursionError at brackets a thousand deep
(RFC 8259 has neither NaN nor Infinity). Used by the service of notebook 14.
"""

import json
import math

from helpers.serving.errors import ServiceError


def parse_object(body: bytes) -> dict:
    """Return the JSON object that a body holds. Raises ServiceError (400), saying why, for anything else.

    Anything else: no UTF-8, no JSON, no object, NaN, an infinite or absurdly long number, brackets a thousand deep.
    """
    try:
        data = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite, parse_int=_short)
    except UnicodeDecodeError:
        raise ServiceError(400, "the body is no UTF-8") from None
    except RecursionError:
        raise ServiceError(400, "the body is nested too deep", code="nested_too_deep") from None
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ServiceError(400, f"the body is no JSON{where}") from None
    if not isinstance(data, dict):
        raise ServiceError(400, "the body must be a JSON object, {…}")
    return data


def _refuse(name: str):
    raise ServiceError(400, f"{name} is no number in JSON", code="not_a_number")


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ServiceError(400, "a number in the body is too large", code="number_too_large")
    return number


def _short(digits: str) -> int:
    if len(digits) > 20:  # nothing here needs more than 64 bits; turning a million digits into an int takes seconds
        raise ServiceError(400, "a number in the body is too large", code="number_too_large")
    return int(digits)
