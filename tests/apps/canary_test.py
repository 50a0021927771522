"""No secret leaves by a side door: a run full of canaries, and a search of everything it left behind (D9)."""
import base64
import json
import os
import urllib.parse
from unittest import mock

import clouds
from issuers import Issuers
from relay import Relay
from troupe_process import DAYS, DONE, ROOT, SAMPLE, ProcessTest, main, read_json, show, terminate, wait_until

CANARY = "canary-7f3a"


class Canaries(ProcessTest):
    def setUp(self):
        super().setUp()
        self.issuers = Issuers(CANARY + "-issued")
        self.addCleanup(self.issuers.close)
        key = read_json(ROOT / "tests" / "golden" / "auth" / "service_account.json")
        self.write("google.json", json.dumps(key))
        self.write("azure.secret", CANARY + "-azure-secret")
        secrets = {"MAIN_KEY": CANARY + "-api-key", "AWS_ACCESS_KEY_ID": "AKIACANARY7F3A",
                   "AWS_SECRET_ACCESS_KEY": CANARY + "-aws-secret", "AWS_SESSION_TOKEN": CANARY + "-aws-session"}
        patch = mock.patch.dict(os.environ, secrets)
        patch.start()
        self.addCleanup(patch.stop)
        # Half a line of the key is enough to know it by.
        key_lines = [line[:32] for line in key["private_key"].splitlines()[1:-1] if len(line) > 40]
        self.canaries = [CANARY, CANARY.replace("-", ""), "AKIACANARY7F3A", *key_lines]

    def config(self, simulator):
        def provider(dialect, name, **more):
            return {"dialect": dialect, "base_url": f"{simulator.url}/{name}", "region": "us-east-1", **more}
        config = clouds.callers(simulator.url)
        config["telemetry"] = {"log_level": "debug"}
        config["providers"] = {
            "key": provider("openai", "key/v1", auth={"kind": "bearer", "api_key": "${MAIN_KEY}"}),
            "aws": provider("bedrock", "aws", auth={"kind": "aws", "role_arn": "arn:aws:iam::1:role/x",
                                                    "external_id": "e", "sts_url": self.issuers.url + "/sts"}),
            "google": provider("vertex_gemini", "google", project="p",
                               auth={"kind": "google", "credentials_file": str(self.folder / "google.json"),
                                     "token_url": self.issuers.url + "/google"}),
            "azure": provider("azure_openai", "azure", api_version="2024-10-21",
                              auth={"kind": "azure", "tenant_id": "t", "client_id": "c",
                                    "client_secret": "file:azure.secret", "token_url": self.issuers.url + "/entra"}),
        }
        config["endpoints"]["list"] = [
            {"id": name, "provider": name, "model": "chat", "remote_model": "m", "limits": {"in_flight_max": 2}}
            for name in config["providers"]]
        return config

    def simulated(self, scale):
        law = {"ttft_median": "300ms", "inter_token_median": "10ms"}
        dialects = {"key": "openai", "aws": "bedrock", "google": "vertex_gemini", "azure": "azure_openai"}
        return self.simulate({"scale": scale, "seed": 7, "endpoints": [
            {"name": name, "dialect": dialect, "latency": law} for name, dialect in dialects.items()]})

    def forms(self):
        """Each canary as it is, percent-encoded and at each alignment of base64."""
        for word in self.canaries:
            yield word.encode()
            yield urllib.parse.quote(word, safe="").encode()
            for shift in range(3):
                coded = base64.b64encode(b"x" * shift + word.encode())
                yield coded[4 if shift else 0:len(coded) - 4]

    def assert_no_canary(self, where, data):
        data = data if isinstance(data, bytes) else data.encode()
        for form in self.forms():
            self.assertNotIn(form, data, f"{where} holds a secret")
        return len(data)

    def scan(self, given, *ended):
        """Every file but those that were given, and everything printed. How many bytes that was."""
        total = 0
        for path in self.folder.rglob("*"):
            self.assertFalse(path.name.startswith("core"), path)
            if path.is_file() and path.name not in given:
                total += self.assert_no_canary(path.name, path.read_bytes())
        for each in ended:
            total += self.assert_no_canary("stdout", each.out) + self.assert_no_canary("stderr", each.err)
        return total

    def test_are_found_nowhere_after_a_run_on_two_nodes(self):
        keys = {}
        for name in ("a", "b", "client"):
            keys[name] = self.run_troupe("keygen", "--out", self.folder / f"{name}.key").out.strip()
        relay = Relay()
        self.addCleanup(relay.close)
        simulator = self.simulated(0.1)
        homes = {"key": "node-a", "aws": "node-b", "google": "node-b", "azure": "node-b"}

        def start(name, peer):
            config = self.config(simulator)
            config["node"] = {"id": f"node-{name}", "state_dir": f"state-{name}"}
            for endpoint in config["endpoints"]["list"]:
                endpoint["home"] = homes[endpoint["id"]]
            config["cluster"] = {"listen": "tcp://127.0.0.1:0", "secret_key": f"file:{name}.key", "peers": [peer],
                                 "client_keys": [keys["client"]]}
            return self.start("node", "--config", self.write_config(f"{name}.yaml", config))

        self.issuers.refuse = {"/sts"}  # at first, echoing what it was sent
        b = start("b", {"id": "node-a", "public_key": keys["a"]})
        relay.target = b.ready()["address"].removeprefix("tcp://")
        a = start("a", {"id": "node-b", "public_key": keys["b"], "address": relay.address})
        to_a = ("--to", a.ready()["address"], "--server-key", keys["a"], "--key", self.folder / "client.key")
        wait_until(lambda: self.issuers.asked.get("/sts", 0) >= 1, "node-b fetches before traffic (D8)")
        self.issuers.refuse = set()
        wait_until(lambda: all(each.get("reachable", True) for each in
                               self.run_troupe("endpoints", "--json", *to_a).json()), "node-a hears node-b")
        wait_until(lambda: self.issuers.asked.get("/sts", 0) >= 2, "node-b asks again after the refusal")
        submitted = self.run_troupe("submit", "recap", "--input", SAMPLE, *DAYS, "--out", self.folder / "out",
                                    "--wait", "--run-id", "r", *to_a)
        self.assert_status(submitted, DONE)
        calls = read_json(self.folder / "out" / "run.json")["calls"]["by_endpoint"]
        show("canary.calls", calls)
        self.assertEqual(set(calls), set(homes), "every kind of credential was used")
        told = [self.run_troupe(*verb, *to_a) for verb in (
            ("runs", "export", "r"), ("endpoints", "--json"), ("cost", "--by", "endpoint", "--json"),
            ("route", "explain", "--feature", "recap", "--json"))]
        ended = [terminate(node) for node in (a, b)]
        simulated = terminate(simulator.process)
        self.assertIn("none for aws us-east-1: STS refused: status 400", ended[1].err, "it was told, without the echo")
        scanned = self.scan({"google.json", "azure.secret"}, submitted, simulated, *told, *ended)
        scanned += self.assert_no_canary("the wire between nodes", relay.recorded())
        show("canary.bytes_scanned", scanned)
        self.assertGreater(scanned, 200_000)
        self.assertEqual(self.issuers.asked["/google"], 1, "one fetch served the whole run")

    def test_the_search_would_find_one(self):
        for form in (CANARY.encode(), base64.b64encode(b"key=" + CANARY.encode() + b";"),
                     urllib.parse.quote(self.canaries[-1], safe="").encode()):
            with self.assertRaises(AssertionError):
                self.assert_no_canary("a planted file", b"before " + form + b" after")

    def test_short_lives_are_renewed_while_the_run_goes_on(self):
        simulator = self.simulated(0.3)
        self.issuers.life = 2
        config = self.write_config("c.yaml", self.config(simulator))
        ended = self.run_troupe("run", "recap", "--input", SAMPLE, *DAYS, "--out", self.folder / "out",
                                "--config", config, "--log", "debug")
        self.assert_status(ended, DONE)
        calls = read_json(self.folder / "out" / "run.json")["calls"]
        show("canary.short_lives", {**self.issuers.asked, "seconds": f"{ended.seconds:.1f}", **calls["by_endpoint"]})
        self.assertGreater(self.issuers.asked["/google"], 1)
        self.assertLess(self.issuers.asked["/google"], 3 + ended.seconds / 1.2)
        self.assertNotIn("retry", calls["by_cause"])
        self.scan({"google.json", "azure.secret"}, ended)

    def test_other_endpoints_serve_while_issuers_are_down(self):
        simulator = self.simulated(0)
        self.issuers.refuse = {"/sts", "/google", "/entra"}
        config = self.write_config("c.yaml", self.config(simulator))
        ended = self.run_troupe("run", "recap", "--input", SAMPLE, *DAYS, "--out", self.folder / "out",
                                "--config", config, "--log", "debug")
        self.assert_status(ended, DONE)
        calls = read_json(self.folder / "out" / "run.json")["calls"]
        show("canary.issuers_down", calls)
        served = {name: each["calls"] for name, each in simulator.stats()["endpoints"].items()}
        self.assertEqual([served["aws"], served["google"], served["azure"]], [0, 0, 0], "nothing is sent without")
        self.assertEqual(set(calls["by_endpoint"]), {"key"}, "what was not sent is no attempt")
        self.assertLess(ended.seconds, 30, "going elsewhere spends no retry budget")
        self.scan({"google.json", "azure.secret"}, ended)


if __name__ == "__main__":
    main()
