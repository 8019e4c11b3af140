"""Keys: only their hashes are kept, and every hash is compared with."""

import hmac

import pytest

from helpers.serving import keys


def test_a_new_key_is_256_random_bits():
    several = {keys.new_key() for _ in range(50)}
    assert len(several) == 50 and all(key.startswith("sk-") and len(key) == 46 for key in several)


def test_the_digest_is_sha_256():
    assert keys.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert len(keys.digest("\ud800")) == 64  # half a character is a wrong key, and no error


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer sk-1", "sk-1"),
        ("bearer   sk-1 ", "sk-1"),
        ("Basic sk-1", None),
        ("sk-1", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_bearer_token_is_a_key(header, key):
    assert keys.bearer(header) == key


def test_a_key_is_known_by_its_hash():
    digests = {"anna": keys.digest("sk-a"), "ben": keys.digest("sk-b")}
    assert keys.known_key("sk-a", digests) == "anna" and keys.known_key("sk-b", digests) == "ben"
    for wrong in ("sk-", "sk-aa", "SK-A", "", keys.digest("sk-a"), "anna"):
        assert keys.known_key(wrong, digests) is None
    assert keys.known_key("sk-a", {}) is None


def test_every_hash_is_compared_with_in_constant_time(monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda one, other: compared.append(other) or real(one, other))
    digests = {str(number): keys.digest(str(number)) for number in range(5)}
    assert keys.known_key("0", digests) == "0"
    assert compared == list(digests.values())


def test_a_file_of_keys_holds_names_and_hashes(tmp_path):
    path = tmp_path / "keys"
    first, second = keys.add_key(path, "anna"), keys.add_key(path, "ben.b-2")
    assert (
        keys.known_key(first, keys.read_keys(path)) == "anna"
        and keys.known_key(second, keys.read_keys(path)) == "ben.b-2"
    )
    assert first not in path.read_text() and second not in path.read_text()
    path.write_text(f"# who may come in\n\nanna {keys.digest('sk-a')}")  # the last line without its end
    keys.add_key(path, "ben")
    assert set(keys.read_keys(path)) == {"anna", "ben"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("anna sk-secret", "line 1"),
        ("# x\nanna", "line 2"),
        (f"anna {keys.digest('a')} more", "line 1"),
        (f"anna {keys.digest('a').upper()}", "line 1"),
        (f"anna {keys.digest('a')}\nanna {keys.digest('b')}", "a second time"),
        ("", "holds no key"),
    ],
)
def test_a_wrong_file_of_keys_is_told_by_its_line_and_not_repeated(tmp_path, text, words):
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as error:
        keys.read_keys(path)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("name", ["", "two words", "a\nb", "x" * 65, "ä/b"])
def test_a_strange_name_gets_no_key(tmp_path, name):
    with pytest.raises(ValueError, match="no name for a key"):
        keys.add_key(tmp_path / "keys", name)
    assert not (tmp_path / "keys").exists()


def test_nobody_gets_a_second_key_under_one_name(tmp_path):
    keys.add_key(tmp_path / "keys", "anna")
    with pytest.raises(ValueError, match="has a key"):
        keys.add_key(tmp_path / "keys", "anna")
