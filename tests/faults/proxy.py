"""A TCP proxy that can be cut off, restored, or made to swallow what its connections carry."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes every connection to `target` on; `port` is where it listens on 127.0.0.1."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self.port = 0
        self._connections: list[_Connection] = []
        self._changing = threading.Lock()
        self._listener: socket.socket | None = None
        self.restore()

    def restore(self) -> None:
        """Listen again, on the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = int(listener.getsockname()[1])
        with self._changing:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and end those there are."""
        with self._changing:
            if self._listener is not None:
                with suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            for connection in self._connections:
                connection.end()
            self._connections.clear()

    def swallow(self) -> None:
        """Leave the connections there are open and pass nothing on, as where a router forgot them; new ones work."""
        for connection in self._connections:
            connection.swallows = True

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            self._connect(listener, accepted)

    def _connect(self, listener: socket.socket, accepted: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target)
        except OSError:
            accepted.close()
            return
        # One that was accepted just before a cut would otherwise outlive it.
        with self._changing:
            connection = _Connection(accepted, far)
            if listener is self._listener:
                self._connections.append(connection)
            else:
                connection.end()


class _Connection:
    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self._ends = (near, far)
        self.swallows = False
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if not self.swallows:
                    sink.sendall(content)
        if not self.swallows:
            self.end()

    def end(self) -> None:
        for one in self._ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def proxied(host: str, port: int) -> Iterator[Proxy]:
    """Yield a proxy before an address."""
    proxy = Proxy((host, port))
    try:
        yield proxy
    finally:
        proxy.cut()
