"""The vendors' own clients against our simulator: that their parsers accept it is what makes our own tests mean
something. One test a package; each of its cases is a sub-test."""
import json
import os
import subprocess
import unittest
from pathlib import Path

import node_modules
from troupe_process import ProcessTest, Simulator

HERE = Path(__file__).resolve().parent
# runtime/config/names.cpp: simulated_credentials(). Published examples; they open the simulator only.
KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "api_key": "simulator-key"}


class OfficialSdks(ProcessTest):
    @classmethod
    def setUpClass(cls):
        cls.node, cls.modules = node_modules.prepared()

    def check(self, script, cases_min):
        simulator = Simulator(self.start("simulate", "--config", HERE / "clouds.yaml"))
        environment = {**os.environ, "SIMULATOR_URL": simulator.url, "SIMULATOR_KEYS": json.dumps(KEYS),
                       "GCE_METADATA_HOST": simulator.url.removeprefix("http://"),
                       "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.folder)}
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            environment.pop(name, None)
        done = subprocess.run([self.node, script], cwd=self.modules, env=environment, capture_output=True, text=True,
                              timeout=120)
        results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.assertGreaterEqual(len(results), cases_min, f"{script} ended early: {done.stderr[-2000:]}")
        for result in results:
            with self.subTest(result["name"]):
                self.assertTrue(result["ok"], result["problem"])
        print(f"{results[0]['sdk']}: {len(results)} cases", flush=True)

    def test_bedrock(self):
        self.check("bedrock.mjs", 17)

    def test_sagemaker(self):
        self.check("sagemaker.mjs", 9)

    def test_genai(self):
        self.check("genai.mjs", 8)

    def test_anthropic(self):
        self.check("anthropic.mjs", 30)

    def test_openai(self):
        self.check("openai.mjs", 22)


if __name__ == "__main__":
    unittest.main()
