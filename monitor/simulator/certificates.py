"""A certificate authority that exists for one run. Its private key never leaves this process."""

from __future__ import annotations

import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

_NAMES = ("localhost", "127.0.0.1", "::1")


class Certificates:
    """Server contexts signed by a new authority, and the authority's public certificate in a file.

    ca_file: where to write the PEM certificate; None picks a file in the temporary directory, removed by `discard`.
    """

    def __init__(self, ca_file: Path | None) -> None:
        authority = trustme.CA(organization_name="Trading Monitor demo exchange")
        self.valid = _context(authority.issue_cert(*_NAMES, organization_name="Trading Monitor demo exchange"))
        self.expired = _context(
            authority.issue_cert(
                *_NAMES,
                not_before=datetime.now(UTC) - timedelta(days=30),
                not_after=datetime.now(UTC) - timedelta(days=1),
            )
        )
        pem = authority.cert_pem.bytes()
        self._is_ours = ca_file is None
        if ca_file is None:
            handle, name = tempfile.mkstemp(prefix="trading-monitor-demo-", suffix=".pem")
            os.close(handle)
            ca_file = Path(name)
        ca_file.write_bytes(pem)
        self.ca_file = ca_file

    def discard(self) -> None:
        """Remove the certificate file if it was a temporary one."""
        if self._is_ours:
            self.ca_file.unlink(missing_ok=True)


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    certificate.configure_cert(context)
    return context
