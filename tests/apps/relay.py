"""A TCP relay on loopback that keeps what passes through, and whose far side may move or vanish."""
import socket
import threading


class Relay:
    """Listens at `address`; every connection goes to `target` ("host:port") as it is at that moment."""

    def __init__(self):
        self.target, self.bytes, self.connections, self.open = None, bytearray(), 0, []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def recorded(self):
        with self.lock:
            return bytes(self.bytes)

    def close(self):
        self.listener.close()

    def cut(self):
        """Nothing passes until there is a target again."""
        self.target = None
        with self.lock:
            for end in self.open:
                self._shut(end)
            self.open = []

    @staticmethod
    def _shut(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        try:
            host, port = self.target.rsplit(":", 1)
            far = socket.create_connection((host, int(port)), timeout=5)
        except (OSError, AttributeError):
            near.close()
            return
        far.settimeout(None)
        with self.lock:
            self.connections += 1
            self.open += [near, far]
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        near.close()
        far.close()

    def _pump(self, source, sink):
        try:
            while chunk := source.recv(65536):
                with self.lock:
                    self.bytes += chunk
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            self._shut(end)
