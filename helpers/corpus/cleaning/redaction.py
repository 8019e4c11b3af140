"""Personal data out of a text: e-mail addresses, phone numbers, links, user names and addresses of machines.

`redact` puts a placeholder where each stood, so that a bot may learn that people give numbers but never which. The
patterns prefer to miss little: a stranger's number in a model is worse than a lost serial number. Still they are
patterns, not understanding.

Telephone numbers are known by how the United States, Canada, Britain, Germany, Austria, Switzerland, France, Belgium, the
Netherlands, Italy, Spain, Portugal, Poland, Greece, Russia, Turkey, India, China, Japan, Korea, Australia, Brazil and Mexico
group them, and with + or 00 by those of any country; the groups stand apart by spaces, dots, slashes, hyphens or parentheses.

Known misses: people's names and street addresses; numbers in words, or in bare digits without a separator or a word
such as "call" before them; eight digits as 4-4 or 2-2-2-2 without a country code; spoken addresses without a known ending
or in other words than "at" and "dot"; user names without `u/` or `@`, and `@` names that begin with a digit; machine names
without a known ending (`printer.local`, `root@server`); domains of endings not listed or in non-ASCII letters.
Known false alarms: `amazon.com` as a company's name; a version of four small numbers (1.2.3.4) without "v" or
"version" before it; seven digits written 3-4 that are no telephone number, and lists of numbers that are grouped like one.
Measured on chitchat (`pytest tests/corpus/cleaning/test_redaction.py -k false_alarms`): of 258,145 messages, a [phone]
stands in 3, 1 wrongly (999.9999 %), and no [email] wrongly. Built in notebook 01.
"""

import ipaddress
import re

ROUNDS = 6

# --- e-mail --------------------------------------------------------------------------------------------------------
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_EMAIL_HINT = re.compile(r"@(?<=[\w+%-]@)[\w-]+\.[\w-]")
_AT, _DOT = r" ?[(\[{]at[)\]}] ?", r"(?: ?[(\[{]dot[)\]}] ?| dot )"
_NAME = r"[\w-]{2,63}"
_SPOKEN_EMAIL = re.compile(  # jo (at) example.org, jo at mail dot example dot org; not "look at example.org"
    rf"(?<![\w.+-])[\w.+-]{{2,64}}(?:{_DOT}[\w+-]{{1,32}}){{0,2}}"
    rf"(?:{_AT}(?:{_NAME}(?:\.|{_DOT})){{1,3}}| at (?!the |a |this |that ){_NAME}{_DOT}(?:{_NAME}{_DOT}){{0,2}})"
    r"(?:com|org|net|edu|gov|info|io|(?:ac|co)(?:\.| dot )uk|co|uk|de|fr|nl|ca|au)\b",
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
_IPV4 = re.compile(
    r"[0-9](?<![\w.][0-9])(?<!ersion [0-9])(?<!ERSION [0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])"
)
_MAC = re.compile(
    r"[0-9A-Fa-f](?<![\w:-][0-9A-Fa-f])[0-9A-Fa-f]([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?!\w|[:-]\w)"
)
_IPV6 = re.compile(r"[0-9A-Fa-f:](?<![\w:.][0-9A-Fa-f:])[0-9A-Fa-f:]{1,44}(?!\w)")

# --- users ---------------------------------------------------------------------------------------------------------
_USER = re.compile(r"[/u](?<![\w/][/u])(?:(?<=u)(?:ser)?|(?<=/)u(?:ser)?)/[a-z0-9_-]{3,}", re.IGNORECASE)
_HANDLE = re.compile(r"@(?<![\w@./]@)(?!(?:home|work|school|all|everyone|here)\b)[A-Za-z_]\w+(?:\.\w+)*")

# --- phones --------------------------------------------------------------------------------------------------------
# In these patterns # is a digit, ~ what stands between two groups, and a space the same, perhaps with spaces around it.
# All groups have a bounded length and a separator before them: no digits can be read in two ways.
_SHORTHAND = {"#": "[0-9]", "~": r"[\x20./‐‑–-]", " ": r"(?:\x20?[/‐‑–-]\x20?|[\x20.])"}
_NUMBERS = "|".join((
    r"(?<![\w.+])(?P<plus>(?:\(\+[1-9]#{0,3}\)|\+\([1-9]#{0,3}\)|\+[1-9]#{0,14})"
    r"(?:~?\(#{1,4}\)~?#{2,12})?(?:~#(?!#))?(?:~#{2,12}){0,5})",  # +49 30 901820, +44 (0)20 7946 0018, +33.1.42.00.00.00
    r"(?<![\w.,+$€£/-])(?:(?P<zeros>(?<!#:)00~?[1-9]#{0,14}(?:~?\(#{1,4}\)~?#{1,12})?(?:~#{1,12}){0,6})",  # 0049/30/9018-0
    r"(?P<trunk>(?<!#:)(?:\(?0[1-9]#{0,3}\)? (?:### ### #{2,3}|### ## ##|#{3,4} ?#{3,6}(?:-#{1,4})?)"  # (030) 901820-15
    r"|\(?0[1-9]#{1,3}\)? ## ## ##|0[1-9](?P<between> )##(?:(?P=between)##){3}))",  # 0475 12 34 56, 01 42 00 00 00
    r"(?:1 ?)?(?!###/###\x20)(?:\(###\) ?-?\x20?|### )### ####",  # (212) 555-0187, 1-212-555-0187, 212/555-0187
    r"(?:[78] )?\([1-9]#{1,2}\)\x20?(?:#{4,5} ####|### ## ##)",  # (11) 91234-0000, 8 (912) 000-67-89
    r"(?P<short>[2-9]##[-.]####)",  # 555-0142
    r"(?P<groups>(?:8 )?[2-9]## ### ## ##|[6-9]##(?: ##){3}|[5-9]##[\x20-]###[\x20-]###"  # 8 912 000-67-89, 612 00 56 78
    r"|(?:(?:0|91)[\x20-]?)?[6-9]####[\x20-]#####|1[3-9]# #### ####"  # 98765 00001, 138 0013 8000
    r"|1[38]00 ### #{3,4}|[1-9]# #{4,5}[\x20-]####|[2-9]##[\x20-]#{7}))",  # 1300 555 012, 11 91234-0000, 347 1234567
))  # fmt: skip
_PHONE = re.compile(re.sub("[#~ ]", lambda match: _SHORTHAND[match[0]], rf"(?=[+(0-9])(?:{_NUMBERS})(?!\w|[.,/-]#)"))
_PHONE_HINT = re.compile(r"[0-9][0-9 ().+/‐‑–-]{5,}[0-9]")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
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
    groups, kind = re.findall("[0-9]+", match[0]), match.lastgroup
    digits, rest = "".join(groups), groups[1:] if len(groups) > 2 else groups
    least = {"zeros": 11, "plus": 7, "short": 7}.get(kind, 8)
    if len(digits) < least or len(digits) == 7 and digits.endswith("00"):
        return match[0]  # "500-1000 people" is a range, "555-0142" a number
    if set(digits) <= {"0", "1"} or kind in ("trunk", "zeros") and all(map(_YEAR.fullmatch, rest)):
        return match[0]
    if kind == "plus" and rest and set(rest) == {"000"}:
        return match[0]  # "+10 000 000"
    if kind == "groups" and all(group.endswith("00") or _YEAR.fullmatch(group) for group in rest):
        return match[0]  # "12 2019 2020" and "60000-70000"
    return "[phone]"


def _bare_number(match: re.Match) -> str:
    before = match.string[max(0, match.start() - 24) : match.start()]
    return "[phone]" if _CALL.search(before) else match[0]


# One pass over the bytes deletes all that no pattern needs; what is left says which patterns are worth trying.
_QUIET = bytes(set(range(256)) - set(b"@/:.-0123456789"))
_IPV4_HINT = re.compile(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_GLUED_DOT = re.compile(r"\.[A-Za-z]")
_EVERY_SYMBOL = re.compile(r"[@/:0-9]|\.(?=\S)| dot |[(\[{](?:at|dot)[)\]}]", re.IGNORECASE)


def _redact_once(text: str, symbols: bytes) -> str:
    """Try the patterns that can match where `symbols` (the telling bytes of the text, in order) has what they need."""
    if b"@" in symbols and _EMAIL_HINT.search(text):
        text = _EMAIL.sub("[email]", text)
    lowered = text.lower()  # the pattern ignores case
    if " dot " in lowered or "at)" in lowered or "at]" in lowered or "at}" in lowered:
        text = _SPOKEN_EMAIL.sub("[email]", text)
    if b"://" in symbols:
        text = _URL.sub(_link, text)
    if b"." in symbols and _GLUED_DOT.search(text):
        text = _DOMAIN.sub(_link, _WWW.sub(_link, text))
    if b"@" in symbols:
        text = _HANDLE.sub("[user]", text)
    if b"/" in symbols:
        text = _USER.sub("[user]", text)
    if symbols.count(b":") > 4 or symbols.count(b"-") > 4:
        text = _MAC.sub("[machine]", text)
    if symbols.count(b":") > 6 or "::" in text:
        text = _IPV6.sub(_ipv6, text)
    if _IPV4_HINT.search(symbols):
        text = _IPV4.sub(_ipv4, text)
    if len(symbols) > 6 and _PHONE_HINT.search(text):
        text = _BARE_NUMBER.sub(_bare_number, _PHONE.sub(_phone, text))
    return text


def redact(text: str) -> str:
    """The text with [email], [phone], [link], [user] and [machine] where personal data stood.

    Best given a text that `clean` has seen, for Markdown links hide addresses. `redact(redact(text)) == redact(text)`
    for every text, in time linear in its length. Misses and false alarms stand at the top of this file. Built in
    notebook 01.
    """
    for _ in range(ROUNDS):
        symbols = text.encode("utf-8", "surrogatepass").translate(None, _QUIET)
        telling = symbols.translate(None, b".-")
        if (
            (not telling or (len(telling) < 3 and b"@" not in telling and b"/" not in telling))
            and not (b"." in symbols and _GLUED_DOT.search(text))
            and "dot" not in text.lower()
        ):
            return text
        before, text = text, _redact_once(text, symbols)
        if text == before:
            return text
    return _EVERY_SYMBOL.sub(" ", text)  # addresses inside addresses without end: nothing that could be one stays
