"""A chat endpoint without any web framework, to be read: which request gets which answer (built in notebook 14).

The service itself is an app of FastAPI; this is what happens in it, in the shape of OpenAI's API (status codes: RFC 9110).
"""

import json
from collections.abc import Callable, Mapping

ENDPOINTS = {"/v1/chat/completions": "POST", "/health/live": "GET"}  # the method of each path


def failure(message: str, param: str | None = None, kind: str = "invalid_request_error") -> dict:
    """Return an error as OpenAI's API sends it; ``param`` names the field of the request that is wrong."""
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}


def texts(messages) -> list[str] | None:
    """Return the texts of a conversation, [{"role": …, "content": text}, …], oldest first; None when it is no such list."""
    if not isinstance(messages, list) or not messages:
        return None
    found = [message.get("content") if isinstance(message, dict) else None for message in messages]
    return found if all(isinstance(text, str) for text in found) else None


def route(method: str, path: str, body: bytes, models: Mapping[str, Callable[[dict], object]]) -> tuple[int, object]:
    """Return (status, what is sent back) for one request; nothing that a client sends raises an error.

    ``models`` are functions by name: called with the request, a dict that was found to be in order, each returns what is sent
    back. A wrong path gets 404, a wrong method 405; what is no JSON object or has no messages 400; an unknown model 404; and
    when the function fails the client hears 500, not why.
    """
    if path not in ENDPOINTS:
        return 404, failure(f"there is no {path[:100]}")
    if method != ENDPOINTS[path]:
        return 405, failure(f"{path} is asked with {ENDPOINTS[path]}")
    if path == "/health/live":
        return 200, {"status": "ok"}
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return 400, failure("the body is no JSON")
    if not isinstance(request, dict):
        return 400, failure("the body must be a JSON object")
    name = request.get("model")
    if not isinstance(name, str) or name not in models:
        return 404, failure("there is no such model", "model")
    if texts(request.get("messages")) is None:
        return 400, failure("messages must be a list of at least one message with a text", "messages")
    try:
        return 200, models[name](request)
    except Exception:  # its text may hold what others wrote, or where our files are
        return 500, failure("the model failed", kind="server_error")
