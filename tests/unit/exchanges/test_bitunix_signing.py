"""Signatures against ``sha256sum``, our own vectors, the venue's test vector, and recorded ones where they are."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.credentials import Secret
from monitor.exchanges.bitunix.signing import make_nonce, query_text, sign, signed_headers, text_params
from tests.fakes.exchange_data import DATA, RECORDED

VECTORS = RECORDED / "bitunix" / "sign_vectors.json"
OUR_VECTORS = DATA / "bitunix" / "sign_vectors.json"

OWN = [
    pytest.param({}, "", "", id="nothing"),
    pytest.param({"marginCoin": "USDT"}, "marginCoinUSDT", "", id="one"),
    pytest.param({"symbol": "BTCUSDT", "limit": "100", "skip": "0"}, "limit100skip0symbolBTCUSDT", "", id="sorted"),
    pytest.param({"b": "2", "B": "1", "a_": "3", "a": "4"}, "B1a4a_3b2", "", id="byte order: capitals first"),
    pytest.param({"name": "ü,x y"}, "nameü,x y", "", id="raw values, not percent-encoded"),
    pytest.param({"a": "1"}, "a1", '{"x":1}', id="body"),
]


def by_hand(text: str) -> str:
    """SHA-256 by another implementation than the code's."""
    done = subprocess.run(["sha256sum"], input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode().split()[0]


@pytest.mark.parametrize(("params", "query", "body"), OWN)
def test_a_signature_is_what_the_rule_gives_by_hand(params: dict[str, str], query: str, body: str) -> None:
    digest = by_hand("n0nce" + "1795435200000" + "key-1" + query + body)
    expected = by_hand(digest + "secret-1")

    assert query_text(params) == query
    found = sign(api_key="key-1", secret="secret-1", nonce="n0nce", timestamp="1795435200000", params=params, body=body)
    assert found == expected


def test_a_known_signature_is_reproduced() -> None:
    """The inputs and the result of the venue's own Go demo."""
    found = sign(
        api_key="1" * 17,
        secret="2" * 17,
        nonce="3" * 17,
        timestamp="1747104711262",
        params={"marginCoin": "USDT"},
    )

    assert found == "40e87256554e263e39201a3979469b7fbb640d1c7c41759abf5c6a18f937f922"


def vectors(file: Path) -> list[Any]:
    found: list[Any] = json.loads(file.read_text(encoding="utf-8"))["vectors"]
    return found


@pytest.mark.parametrize("vector", vectors(OUR_VECTORS), ids=lambda vector: vector["name"])
def test_every_vector_of_ours_is_reproduced(vector: dict[str, Any]) -> None:
    given = {name: vector[name] for name in ("api_key", "nonce", "timestamp", "params", "body")}

    assert query_text(vector["params"]) == vector["sorted_params"]
    assert sign(secret=vector["secret_key"], **given) == vector["sign"]
    text = vector["nonce"] + vector["timestamp"] + vector["api_key"] + vector["sorted_params"] + vector["body"]
    assert by_hand(text) == vector["digest"]
    assert by_hand(vector["digest"] + vector["secret_key"]) == vector["sign"]


def test_our_vectors_all_differ() -> None:
    signs = {vector["sign"] for vector in vectors(OUR_VECTORS)}

    assert len(signs) == len(vectors(OUR_VECTORS)) >= 12
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in signs)


@pytest.mark.skipif(not VECTORS.is_file(), reason="the recorded vectors are not here")
def test_every_recorded_vector_is_reproduced() -> None:
    found = vectors(VECTORS)

    assert len(found) >= 6
    for vector in found:
        given = {name: vector[name] for name in ("api_key", "nonce", "timestamp")}
        params = vector.get("params", {})
        result = sign(secret=vector["secret_key"], params=params, body=vector.get("body", ""), **given)
        assert result == vector["sign"], vector["name"]
        assert query_text(params) == vector.get("sorted_params", ""), vector["name"]


def test_parameters_become_text_once_sorted_and_without_the_empty_ones() -> None:
    params = text_params({"symbol": "BTCUSDT", "skip": 0, "flag": False, "clientId": "", "orderId": None, "on": True})

    assert params == {"flag": "false", "on": "true", "skip": "0", "symbol": "BTCUSDT"}
    assert list(params) == sorted(params)


def test_a_nonce_is_new_every_time_and_32_hexadecimal_digits() -> None:
    nonces = {make_nonce() for _ in range(1_000)}

    assert len(nonces) == 1_000
    assert all(re.fullmatch("[0-9a-f]{32}", nonce) for nonce in nonces)


def test_the_headers_are_the_documented_ones() -> None:
    now_ms = int(time.time() * 1000)
    headers = signed_headers(
        api_key=Secret("key-1"), secret=Secret("secret-1"), nonce="n", timestamp_ms=now_ms, params={"a": "1"}
    )

    assert set(headers) == {"api-key", "nonce", "timestamp", "sign", "Content-Type", "language"}
    assert (headers["api-key"], headers["nonce"], headers["timestamp"]) == ("key-1", "n", str(now_ms))
    assert headers["sign"] == sign(
        api_key="key-1", secret="secret-1", nonce="n", timestamp=str(now_ms), params={"a": "1"}
    )
    assert "secret-1" not in headers.values()
