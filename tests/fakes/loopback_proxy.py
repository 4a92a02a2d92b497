"""What small proxies on loopback have in common: they accept, count and pass bytes both ways."""

import contextlib
import socket
import threading


class LoopbackProxy:
    """``targets`` are what was asked for, in order; ``port`` is where it listens. Subclasses :meth:`serve` a client."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.accepts = 0
        self.targets: list[str] = []
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._start(self._accept)

    def serve(self, client: socket.socket) -> None:
        """Agree with a client on where it wants to go, and :meth:`join` it to that. In a thread of its own."""
        raise NotImplementedError

    def join(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass bytes both ways until one end is gone."""
        self._sockets.append(upstream)
        self._start(self._pass, upstream, client)
        self._pass(client, upstream)

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]  # a bound method
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepts += 1
            self._sockets.append(client)
            self._start(self.serve, client)

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
