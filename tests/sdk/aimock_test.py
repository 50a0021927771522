"""Our adapters against a simulator we did not write (@copilotkit/aimock): the same question to every dialect it
serves gives the same text and the same usage, whole and streamed, and its errors land in our classes."""
import json
import os
import subprocess
import unittest

import node_modules
from troupe_process import ProcessTest

TEXT = "The lighthouse keeper counts ships, 7 today – “none lost”."
MODELS = {
    "openai": "gpt-5", "openai_responses": "gpt-5", "azure_openai": "gpt-5", "anthropic": "claude-sonnet-4-5",
    "bedrock": "anthropic.claude-sonnet-4-20250514-v1:0", "bedrock_invoke": "anthropic.claude-sonnet-4-20250514-v1:0",
    "vertex_gemini": "gemini-2.5-flash",
}


class Aimock(ProcessTest):
    @classmethod
    def setUpClass(cls):
        cls.node, cls.modules = node_modules.prepared()

    def setUp(self):
        super().setUp()
        self.mock = subprocess.Popen([self.node, "aimock.mjs"], cwd=self.modules, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_mock)
        os.environ.update(AIMOCK_KEY_ID="AKIDEXAMPLE", AIMOCK_SECRET="example")
        url = json.loads(self.mock.stdout.readline())["url"]
        keys = {"kind": "aws_static", "access_key_id": "${AIMOCK_KEY_ID}", "secret_access_key": "${AIMOCK_SECRET}"}
        providers, endpoints = {}, []
        for dialect, model in MODELS.items():
            auth = keys if dialect.startswith("bedrock") else {"kind": "api_key", "api_key": "${AIMOCK_SECRET}"}
            base = f"{url}/v1" if dialect.startswith("openai") else url
            providers[dialect] = {"dialect": dialect, "base_url": base, "auth": auth, "region": "us-east-1"}
            if dialect == "vertex_gemini":
                providers[dialect] |= {"project": "sim-project", "region": "us-central1"}
            if dialect == "azure_openai":
                providers[dialect]["api_version"] = "2024-10-21"
            endpoints.append({"id": dialect, "provider": dialect, "model": "m", "remote_model": model})
        self.config = self.write_config("aimock.yaml", {"providers": providers, "models": {"m": {}},
                                                        "endpoints": {"list": endpoints}})

    def end_mock(self):
        self.mock.stdin.close()
        self.mock.wait(timeout=20)
        self.mock.stdout.close()

    def ask(self, dialect, prompt, *more):
        ended = self.run_troupe("call", "--config", self.config, "--endpoint", dialect, "--prompt", prompt, "--json", *more)
        return json.loads(ended.out)

    @staticmethod
    def each():
        return [(dialect, more) for dialect in MODELS for more in ((), ("--no-stream",))]

    def test_same_text_and_usage_from_every_dialect(self):
        for dialect, more in self.each():
            with self.subTest(dialect=dialect, more=more):
                told = self.ask(dialect, "tell me", *more)
                self.assertIsNone(told["error"])
                self.assertEqual(told["text"], TEXT)
                self.assertEqual(told["stop"], "stop")
                usage = told["usage"]
                # aimock's InvokeModel stream counts 45 in message_start and 0 in message_delta, which is the one that
                # counts; on the real wire it is cumulative.
                output = 0 if (dialect, more) == ("bedrock_invoke", ()) else 45
                self.assertEqual((usage["input"], usage["output"], usage["estimated"]), (321, output, False))

    def test_tools(self):
        for dialect, more in self.each():
            with self.subTest(dialect=dialect, more=more):
                told = self.ask(dialect, "look it up", "--tool", "look_up", *more)
                # aimock ends a Gemini call with FUNCTION_CALL, which Gemini never says: an unknown word is model_error.
                self.assertEqual(told["stop"], "model_error" if dialect == "vertex_gemini" else "tool_calls")
                self.assertEqual([tool["name"] for tool in told["tools"]], ["look_up"])
                self.assertEqual(json.loads(told["tools"][0]["input"]), {"query": "ships"})

    def test_injected_errors_are_classified(self):
        for prompt, code in (("throttle me", "rate_limited"), ("fail", "transient_server")):
            for dialect, more in self.each():
                with self.subTest(dialect=dialect, more=more, prompt=prompt):
                    error = self.ask(dialect, prompt, *more)["error"]
                    self.assertEqual(error["code"], code)
                    self.assertTrue(error["failover"])
                    self.assertEqual(error["counts_for_breaker"], code != "rate_limited")

    def test_a_stream_that_is_cut_never_looks_whole(self):
        for dialect in MODELS:
            with self.subTest(dialect=dialect):
                told = self.ask(dialect, "cut me")
                # aimock may reset the connection before its head has left.
                self.assertIn(told["error"]["code"], ("stream_broken", "transient_server"))
                self.assertTrue(told["error"]["failover"] and told["error"]["maybe_billed"])


if __name__ == "__main__":
    unittest.main()
