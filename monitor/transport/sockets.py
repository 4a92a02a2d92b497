"""What the books say of a socket: where it goes, and what its handshake agreed on."""

import itertools
import socket
import ssl

from monitor.transport.accounts import SocketEntry

_connection_ids = itertools.count(1)

_FAMILY_NAMES = {int(socket.AF_INET): "IPv4", int(socket.AF_INET6): "IPv6"}


def new_entry(sock: socket.socket) -> SocketEntry:
    """The entry of a socket that has just been connected; ids are unique in this process."""
    return SocketEntry(next(_connection_ids), peer=_peer_name(sock), address_family=_FAMILY_NAMES.get(int(sock.family)))


def describe_tls(entry: SocketEntry, sock: ssl.SSLSocket) -> None:
    """Note what the handshake agreed on."""
    entry.tls_version = sock.version()
    cipher = sock.cipher()
    entry.cipher = cipher[0] if cipher is not None else None
    entry.alpn = sock.selected_alpn_protocol()
    entry.is_resumed = sock.session_reused


def _peer_name(sock: socket.socket) -> str | None:
    try:
        address = sock.getpeername()
    except OSError:  # gone again already
        return None
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
