import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest

from monitor.domain.credentials import (
    AccountRef,
    Address,
    CredentialInputError,
    Credentials,
    Hidden,
    Secret,
    clean_address,
    clean_name,
    clean_token,
    refuse_private_key,
)

PLANTED = "pl4nted-s3cret-0123456789"
PRIVATE_KEY = "4c0883a69102937d" * 4
ADDRESS = "0x" + "5bA1" * 10


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(account=AccountRef("bitunix", "main"), values={"secret": Secret(PLANTED)})


def test_a_secret_is_not_in_any_text_made_of_it(credentials: Credentials) -> None:
    secret = credentials["secret"]
    texts = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        " ".join(map(str, [secret])),
        repr(credentials),
        str(credentials),
        repr(msgspec.structs.asdict(credentials)),
        repr(vars(type(secret))),
        repr(dir(secret)),
    ]

    assert all(PLANTED not in text for text in texts)
    assert secret.reveal() == PLANTED


def test_a_secret_stays_hidden_in_dataclass_helpers(credentials: Credentials) -> None:
    @dataclasses.dataclass
    class Holder:
        value: Hidden

    as_dict = dataclasses.asdict(Holder(credentials["secret"]))

    assert PLANTED not in repr(as_dict)
    with pytest.raises(TypeError):
        json.dumps(as_dict)


def test_a_secret_is_encoded_by_no_library_of_ours(credentials: Credentials) -> None:
    encoders: tuple[Callable[[object], object], ...] = (
        msgspec.json.encode,
        msgspec.msgpack.encode,
        msgspec.to_builtins,
        json.dumps,
    )
    for encode in encoders:
        with pytest.raises(TypeError) as caught:
            encode(credentials)
        assert PLANTED not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_never_pickled(credentials: Credentials, protocol: int) -> None:
    for value in (credentials["secret"], credentials):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(value, protocol)
        assert PLANTED not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_not_changed_hashed_or_copied(credentials: Credentials) -> None:
    secret = credentials["secret"]

    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret
    with pytest.raises(AttributeError):
        secret._text = "other"
    with pytest.raises(AttributeError):
        del secret._text
    with pytest.raises(TypeError):
        hash(secret)


def test_secrets_compare_by_what_they_hold() -> None:
    assert Secret("one") == Secret("one")
    assert Secret("one") != Secret("two")
    assert Secret("one") != "one"
    assert not Secret("")


def test_a_secret_in_a_log_call_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("monitor.test").debug("using %s and %r", Secret(PLANTED), Secret(PLANTED))

    assert "***" in caplog.text
    assert PLANTED not in caplog.text


def test_an_address_is_shown_cut() -> None:
    address = clean_address(ADDRESS)

    assert isinstance(address, Address)
    assert (str(address), repr(address)) == ("0x5ba1…5ba1", "Address(0x5ba1…5ba1)")
    assert address.reveal() == ADDRESS.lower()


@pytest.mark.parametrize("text", [ADDRESS, f"  {ADDRESS}\n", ADDRESS.lower(), "0x" + ADDRESS[2:].upper()])
def test_an_address_is_taken_in_any_case_and_trimmed(text: str) -> None:
    assert clean_address(text).reveal() == ADDRESS.lower()


@pytest.mark.parametrize("text", ["", "0x", ADDRESS[:-1], ADDRESS + "0", ADDRESS[2:], "0X" + ADDRESS[2:], "BTC"])
def test_what_is_no_address_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CredentialInputError) as caught:
        clean_address(text)

    assert len(text) < 4 or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        PRIVATE_KEY,
        "0x" + PRIVATE_KEY,
        "0X" + PRIVATE_KEY.upper(),
        f"  {PRIVATE_KEY}  ",
        f"my key is {PRIVATE_KEY}!",
        PRIVATE_KEY[:32] + " " + PRIVATE_KEY[32:],
        PRIVATE_KEY[:32] + "\n" + PRIVATE_KEY[32:],
        "-".join(PRIVATE_KEY[i : i + 8] for i in range(0, 64, 8)),
        PRIVATE_KEY[:10] + "\u200b" + PRIVATE_KEY[10:],
        PRIVATE_KEY * 2,
    ],
)
@pytest.mark.parametrize("check", [refuse_private_key, clean_address, clean_name])
def test_a_private_key_is_refused_with_the_reason_everywhere(text: str, check: object) -> None:
    assert callable(check)
    with pytest.raises(CredentialInputError, match="private key") as caught:
        check(text)

    assert PRIVATE_KEY[:12].lower() not in str(caught.value).lower()
    assert "nothing was stored" in str(caught.value)


@pytest.mark.parametrize("text", [ADDRESS, "a" * 63, "0x" + "1" * 62, "", "plain words"])
def test_what_is_no_private_key_passes(text: str) -> None:
    refused = []
    try:
        refuse_private_key(text)
    except CredentialInputError as error:
        refused.append(error)

    assert refused == []


@pytest.mark.parametrize(("text", "name"), [("main", "main"), ("  my  bot ", "my bot"), ("Konto 2 – Ü", "Konto 2 – Ü")])
def test_names_are_trimmed(text: str, name: str) -> None:
    assert clean_name(text) == name


@pytest.mark.parametrize(
    "text", ["", "   ", "a" * 41, "a/b", "a\\b", "a:b", "-x", "a\nb", "a\x00b", "a\u202eb", ADDRESS]
)
def test_names_that_could_do_harm_are_refused(text: str) -> None:
    with pytest.raises(CredentialInputError):
        clean_name(text)


@pytest.mark.parametrize("digits", [24, 32, 40])
def test_a_key_pasted_as_a_name_is_refused(digits: int) -> None:
    with pytest.raises(CredentialInputError, match="key or an address"):
        clean_name("a1b2" * (digits // 4))


def test_keys_are_trimmed_and_one_word() -> None:
    assert clean_token("  abcd1234efgh\r\n", "The key").reveal() == "abcd1234efgh"


@pytest.mark.parametrize(
    "text", ["", "  ", "abcd 1234efgh", "abcd\t1234efgh", "abcd1234\nx", "schlüssel1234", "short", "x" * 257]
)
def test_what_cannot_be_a_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CredentialInputError, match="The API key") as caught:
        clean_token(text, "The API key")

    assert not text.strip() or text.strip() not in str(caught.value)
