"""Personal data out of a text: e-mail addresses, phone numbers, links, user names and addresses of machines.

`redact` puts a placeholder where each stood, so that a bot may learn that people give numbers but never which. The
patterns prefer to miss little: a stranger's number in a model is worse than a lost serial number. Still they are
patterns, not understanding.

Known misses: people's names and street addresses; numbers in words, or in bare digits without a separator or a word
such as "call" before them; user names without `u/` or `@`, and `@` names that begin with a digit; machine names without
a known ending (`printer.local`, `root@server`); domains of endings not listed or in non-ASCII letters.
Known false alarms: `amazon.com` said as a company's name; a version of four small numbers (1.2.3.4) without "v" or
"version" before it; seven digits written 3-4 that are no telephone number. Built in notebook 01.
"""

import ipaddress
import re

ROUNDS = 6

# --- e-mail --------------------------------------------------------------------------------------------------------
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_EMAIL_HINT = re.compile(r"@(?<=[\w+%-]@)[\w-]+\.[\w-]")
_AT, _DOT = r" ?(?:\(at\)|\[at\]|\{at\}) ?", r" ?(?:\(dot\)|\[dot\]|\{dot\}| dot |\.) ?"
_SPOKEN_EMAIL = re.compile(  # jo (at) example.org, jo at example dot org; not "look at example.org"
    rf"(?<![\w.+-])[\w.+-]{{2,64}}(?:{_AT}[\w-]{{2,63}}{_DOT}| at [\w-]{{2,63}} dot )(?:com|org|net|edu)\b",
    re.IGNORECASE,
)

# --- links ---------------------------------------------------------------------------------------------------------
_URL = re.compile(r"(?:[hH][tT]{2}[pP][sS]?|[fF][tT][pP])://[^\s<>\[\]{}|\\^`\"]+")
_WWW = re.compile(r"[wW](?<![\w@.][wW])[wW]{2}\.[^\s<>\[\]{}|\\^`\"]+")
_ENDINGS = "com|org|net|edu|gov|info|biz|dev|app|xyz|blog|wiki|co|io|uk|de|fr|nl|se|ch|ca|au|eu|jp|ru|pl|br|nz|ie|gg|tv"
_WORDLIKE = "it|is|to|me|in|so|no|at|be|us|am|my|by|do|ly|gl|fm|la"  # endings that are words: only with a path behind
_DOMAIN = re.compile(
    r"(?<![\w@./:-])(?!(?:asp|vb|ado)\.net\b)(?:[a-z0-9][a-z0-9-]*\.)+"
    rf"(?:(?:{_ENDINGS})(?![\w-])(?!\.\w)(?::\d+)?(?:/[^\s<>\[\]{{}}|\\^`\"]*)?|(?:{_WORDLIKE})/[^\s<>\[\]{{}}|\\^`\"]+)",
    re.IGNORECASE,
)

# --- machines ------------------------------------------------------------------------------------------------------
# Patterns begin with a set of characters and look back second: that is much faster to find.
_IPV4 = re.compile(r"[0-9](?<![\w.][0-9])(?<!ersion [0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_MAC = re.compile(
    r"[0-9A-Fa-f](?<![\w:-][0-9A-Fa-f])[0-9A-Fa-f]([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?!\w|[:-]\w)"
)
_IPV6 = re.compile(r"[0-9A-Fa-f:](?<![\w:.][0-9A-Fa-f:])[0-9A-Fa-f:]{1,44}(?!\w)")

# --- users ---------------------------------------------------------------------------------------------------------
_USER = re.compile(r"[/u](?<![\w/][/u])(?:(?<=u)(?:ser)?|(?<=/)u(?:ser)?)/[A-Za-z0-9_-]{3,}")
_HANDLE = re.compile(r"@(?<![\w@./]@)(?!(?:home|work|school|all|everyone|here)\b)[A-Za-z_]\w+(?:\.\w+)*")

# --- phones --------------------------------------------------------------------------------------------------------
_EDGE, _END = r"(?<![\w.,+$€£/-])", r"(?!\w|[.,/-][0-9])"
_PHONE = re.compile(
    r"(?=[+(0-9])(?:"
    r"(?<![\w.+])\+[0-9]{1,3}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?[0-9]{1,4}(?:[ .-]?[0-9]{2,4}){1,4}"  # +49 30 901820
    rf"|{_EDGE}(?:"
    r"(?:1[ .-]?)?(?:\([0-9]{3}\)[ .-]?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}"  # (212) 555-0187
    r"|\(?0[0-9]{1,4}\)?[ /.-][0-9]{3,4}[ .-]?[0-9]{3,6}"  # 020 7946 0018, (030) 901820
    r"|0[0-9](?:[ .-][0-9]{2}){4}"  # 01 99 00 12 34
    r"|[2-9][0-9]{2}[-.][0-9]{4}"  # 555-0142
    rf")){_END}"
)
_PHONE_HINT = re.compile(r"[0-9][0-9 ().+/-]{5,}[0-9]")
_BARE_NUMBER = re.compile(r"[0-9](?<![\w.][0-9])[0-9 ]{5,13}[0-9](?!\w|[.,][0-9])")
_CALL = re.compile(
    r"\b(?:call|phone|tel|telephone|mobile|cell|text|whatsapp|ring|number)(?: me| is| us)?(?: on| at)?[.:]? ?$",
    re.IGNORECASE,
)


def _link(match: re.Match) -> str:
    address = match[0]
    kept = address.rstrip(".,;:!?'*_~…")
    while kept.endswith(")") and kept.count(")") > kept.count("("):  # "(see http://example.org)"
        kept = kept[:-1].rstrip(".,;:!?'*_~…")
    if kept.endswith(("/", ":")) and "//" in kept[-3:]:  # a bare "http://..." names nothing
        return address
    return "[link]" + address[len(kept) :]


def _ipv4(match: re.Match) -> str:
    return "[machine]" if all(int(part) < 256 for part in match[0].split(".")) else match[0]


def _ipv6(match: re.Match) -> str:
    address = match[0] if match[0].endswith("::") else match[0].rstrip(":")
    if address.count(":") < 2 or not any(sign.isdigit() for sign in address):
        return match[0]
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return match[0]
    return "[machine]" + match[0][len(address) :]


def _phone(match: re.Match) -> str:
    digits = sum(sign.isdigit() for sign in match[0])
    if digits == 7:  # "500-1000 people" is a range, "555-0142" a number
        return match[0] if match[0].endswith("00") else "[phone]"
    return "[phone]" if 8 <= digits <= 15 else match[0]


def _bare_number(match: re.Match) -> str:
    before = match.string[max(0, match.start() - 24) : match.start()]
    return "[phone]" if _CALL.search(before) else match[0]


# One pass over the bytes deletes all that no pattern needs; what is left says which patterns are worth trying.
_QUIET = bytes(set(range(256)) - set(b"@/:.-0123456789"))
_IPV4_HINT = re.compile(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_GLUED_DOT = re.compile(r"\.[A-Za-z]")
_EVERY_SIGN = re.compile(r"[@/:0-9]|\.(?=\S)| dot |[(\[{](?:at|dot)[)\]}]")


def _redact_once(text: str, signs: bytes) -> str:
    """Try the patterns that can match where `signs` (the telling bytes of the text, in order) has what they need."""
    if b"@" in signs and _EMAIL_HINT.search(text):
        text = _EMAIL.sub("[email]", text)
    if " dot " in text or "at)" in text or "at]" in text or "at}" in text:
        text = _SPOKEN_EMAIL.sub("[email]", text)
    if b"://" in signs:
        text = _URL.sub(_link, text)
    if b"." in signs and _GLUED_DOT.search(text):
        text = _DOMAIN.sub(_link, _WWW.sub(_link, text))
    if b"@" in signs:
        text = _HANDLE.sub("[user]", text)
    if b"/" in signs and ("u/" in text or "user/" in text):
        text = _USER.sub("[user]", text)
    if signs.count(b":") > 4 or signs.count(b"-") > 4:
        text = _MAC.sub("[machine]", text)
    if signs.count(b":") > 6 or "::" in text:
        text = _IPV6.sub(_ipv6, text)
    if _IPV4_HINT.search(signs):
        text = _IPV4.sub(_ipv4, text)
    if len(signs) > 6 and _PHONE_HINT.search(text):
        text = _PHONE.sub(_phone, _BARE_NUMBER.sub(_bare_number, text))
    return text


def redact(text: str) -> str:
    """The text with [email], [phone], [link], [user] and [machine] where personal data stood.

    Best given a text that `clean` has seen, for Markdown links hide addresses. `redact(redact(text)) == redact(text)`
    for every text, in time linear in its length. Misses and false alarms stand at the top of this file. Built in
    notebook 01.
    """
    for _ in range(ROUNDS):
        signs = text.encode("utf-8", "surrogatepass").translate(None, _QUIET)
        telling = signs.translate(None, b".-")
        if (
            (not telling or (len(telling) < 3 and b"@" not in telling and b"/" not in telling))
            and not (b"." in signs and _GLUED_DOT.search(text))
            and "dot" not in text
        ):
            return text
        before, text = text, _redact_once(text, signs)
        if text == before:
            return text
    return _EVERY_SIGN.sub(" ", text)  # addresses inside addresses without end: nothing that could be one stays
