"""Issuers of credentials on loopback whose every secret is a canary: AWS STS, Microsoft Entra, Google's token endpoint."""
import json
import threading
import time
import urllib.parse

from posts import PostServer

STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA{canary}</AccessKeyId><SecretAccessKey>{canary}-secret</SecretAccessKey>
<SessionToken>{canary}-session</SessionToken><Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Issuers(PostServer):
    """`url`/sts, /entra and /google. `asked` counts by path. `life`: seconds of what is given. `refuse`: paths that
    refuse, echoing what they were sent, as careless issuers do."""

    def __init__(self, canary):
        self.canary, self.asked, self.life, self.refuse, self.lock = canary, {}, 3600, set(), threading.Lock()
        super().__init__()

    def answer(self, path, sent):
        with self.lock:
            self.asked[path] = self.asked.get(path, 0) + 1
        if path in self.refuse:
            echo = f"not good: {urllib.parse.unquote(sent.decode())} {self.canary}"
            told = {"error": "invalid_grant", "error_description": echo}
            return 400, "application/json", json.dumps(told).encode()
        if path == "/sts":
            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life))
            return 200, "text/xml", STS.format(canary=self.canary.replace("-", ""), expiration=end).encode()
        token = {"access_token": f"{self.canary}{path}", "expires_in": self.life}
        return 200, "application/json", json.dumps(token).encode()
