"""An HTTP server on loopback for what tests stand in for; it answers POSTs."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PostServer:
    """`url` without a path. A subclass says `answer(path, sent)`: status, content type and body, in bytes. It is
    called from many threads."""

    def __init__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sent = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, kind, body = outer.answer(self.path, sent)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, sent):
        raise NotImplementedError
