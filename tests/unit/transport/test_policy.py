import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ReadOnlyViolation
from monitor.transport.policy import AllowedRequest, Origin, ReadOnlyPolicy, is_plain_path

ORIGIN = Origin.parse("https://venue.test:8443/base/")
POLICY = ReadOnlyPolicy(
    (ORIGIN,), (AllowedRequest(method="GET", path_prefix="/api/"), AllowedRequest(method="POST", path="/info"))
)


def test_origin_of_a_base_url() -> None:
    assert (ORIGIN.scheme, ORIGIN.host, ORIGIN.port, ORIGIN.path) == ("https", "venue.test", 8443, "/base")
    assert ORIGIN.url == "https://venue.test:8443"
    assert Origin.parse("http://[::1]").url == "http://[::1]"
    assert Origin.parse("https://venue.test").address == "venue.test:443"


@pytest.mark.parametrize("rule", [{}, {"path": "/a", "path_prefix": "/b/"}, {"path_prefix": "/open"}])
def test_unclear_rules_are_refused(rule: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="path"):
        AllowedRequest(method="GET", **rule)


def test_whole_urls_are_held_to_the_same_list() -> None:
    POLICY.check_url("GET", "https://venue.test:8443/base/api/x?y=../../exchange")
    POLICY.check_url("POST", "https://venue.test:8443/base/info")
    for url in (
        "https://venue.test:8443/api/x",
        "https://venue.test:8443/baseapi/x",
        "https://venue.test:8443/base/../api/x",
        "https://venue.test/base/api/x",
        "https://venue.test:8443@evil.test/base/api/x",
        "https://venue.test:84430/base/api/x",
        "HTTPS://venue.test:8443/base/api/x",
        "https://venue.test:8443/base/exchange",
    ):
        with pytest.raises(ReadOnlyViolation):
            POLICY.check_url("GET", url)


def test_what_was_found_allowed_is_remembered_per_method() -> None:
    POLICY.check_url("GET", "https://venue.test:8443/base/api/once")
    POLICY.check_url("GET", "https://venue.test:8443/base/api/once?more")
    with pytest.raises(ReadOnlyViolation):
        POLICY.check_url("POST", "https://venue.test:8443/base/api/once")


def test_a_caller_that_invents_paths_fills_no_memory() -> None:
    for i in range(1000):
        POLICY.check_url("GET", f"https://venue.test:8443/base/api/{i}")
    assert len(POLICY._allowed_targets) <= 256


@given(st.text(max_size=30))
def test_plain_paths_have_one_reading(tail: str) -> None:
    path = "/" + tail
    if is_plain_path(path):
        assert path.isascii()
        assert not set(path) & set("%\\?#;@: \r\n")
        assert "//" not in path
        assert not {".", ".."} & set(path.split("/"))
