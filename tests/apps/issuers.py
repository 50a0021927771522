"""Issuers of credentials on loopback whose every secret is a canary: AWS STS, Microsoft Entra, Google's token endpoint."""
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA{canary}</AccessKeyId><SecretAccessKey>{canary}-secret</SecretAccessKey>
<SessionToken>{canary}-session</SessionToken><Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Issuers:
    """`url`/sts, /entra and /google. `asked` counts by path. `life`: seconds of what is given. `refuse`: paths that
    refuse, echoing what they were sent, as careless issuers do."""

    def __init__(self, canary):
        self.canary, self.asked, self.life, self.refuse, self.lock = canary, {}, 3600, set(), threading.Lock()
        issuers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sent = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                status, body = issuers.answer(self.path, sent)
                self.send_response(status)
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
        with self.lock:
            self.asked[path] = self.asked.get(path, 0) + 1
        if path in self.refuse:
            told = {"error": "invalid_grant", "error_description": f"not good: {urllib.parse.unquote(sent)} {self.canary}"}
            return 400, json.dumps(told).encode()
        if path == "/sts":
            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life))
            return 200, STS.format(canary=self.canary.replace("-", ""), expiration=end).encode()
        return 200, json.dumps({"access_token": f"{self.canary}{path}", "expires_in": self.life}).encode()
