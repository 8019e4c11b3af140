"""From the messages of OpenAI's API to the history of two people that a bot of the course reads (notebook 14).

Our bots know two people who take turns, and no instructions: they were trained on conversations alone. So

- "user" is one person, "assistant" the other; messages of one role in a row become one turn, joined by a line break;
- the last message must be the user's: that is the one to be answered;
- "system" and "developer" messages are left out. Refusing them would lock out clients that always send one; reading them
  as a turn would put words in somebody's mouth. The answer says in a header that they were left out;
- the parts of a content are joined; a part that is no text (an image) is refused, and so is every other role.

A text that looks like a speaker mark or an end ("<B>", "<end>") stays text: no tokenizer of the course ever makes a special
token of what somebody wrote.
"""

from helpers.serving.errors import ServiceError, shown, wrong

SPEAKING = ("user", "assistant")
INSTRUCTING = ("system", "developer")
_FIELDS = {
    "role",
    "content",
    "name",
    "refusal",
    "annotations",
    "audio",
    "tool_calls",
    "function_call",
    "reasoning_content",
}


def history(messages: list, most: int = 1_000) -> tuple[list[str], bool]:
    """Return the texts of two people in turn, oldest first, the last to be answered, and whether a message was left out.

    ``messages`` is a list of {"role", "content"}, as parsed from JSON. Raises ServiceError (400, with the field's name) when it
    is something else, has more than ``most`` messages, or does not end with the user's.
    """
    if not isinstance(messages, list) or not messages:
        raise wrong("messages", "give a list of messages, one at least")
    if len(messages) > most:  # asked first: looking at a million of them would take a second
        raise wrong("messages", f"{len(messages):,} messages are too many: this service reads up to {most:,}")
    turns: list[list[str]] = []
    last, left_out = None, False
    for number, message in enumerate(messages):
        role, text = _read(message, f"messages.{number}")
        if role in INSTRUCTING:
            left_out = True
        elif role == last:
            turns[-1].append(text)
        else:
            turns.append([text])
            last = role
    if last != "user":
        raise wrong("messages", "the last message must have the role user: it is the one that is answered")
    return ["\n".join(texts) for texts in turns], left_out


def _read(message, place: str) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise wrong(place, "a message is an object with role and content")
    if unknown := message.keys() - _FIELDS:
        raise wrong(f"{place}.{shown(min(unknown))}", "this service knows no such field of a message")
    role = message.get("role")
    if role not in (*SPEAKING, *INSTRUCTING):
        raise wrong(f"{place}.role", "give user or assistant (system and developer are accepted and left out)")
    return role, _text(message.get("content"), f"{place}.content")


def _text(content, place: str) -> str:
    if isinstance(content, str):
        return checked_text(content, place)
    if not isinstance(content, list) or not content:
        raise wrong(place, "give a text, or a list of parts of the type text")
    texts = []
    for number, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") != "text":
            raise wrong(f"{place}.{number}.type", "the bots of this service read text only")
        if not isinstance(part.get("text"), str):
            raise wrong(f"{place}.{number}.text", "give a text")
        texts.append(checked_text(part["text"], f"{place}.{number}.text"))
    return "".join(texts)


def checked_text(text: str, place: str) -> str:
    """Return ``text``. Raises ServiceError (400) for half a character: JSON can write one ("\\ud83d"), UTF-8 cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ServiceError(400, f"{place}: half a character (a lone surrogate) is no text", param=place) from None
    return text
