"""Six endpoints on five wires: whichever of them answers, the recap says the same. Credentials come from the simulated
issuers through the real flows (instance metadata, containers, Google's metadata server), nothing static."""
import os

from troupe_process import DAYS, DONE, ROOT, SAMPLE, ProcessTest, main, read_json, show

SHIPPED = ROOT / "configs" / "six-clouds.yaml"
ENDPOINTS = {
    "bedrock-pt": "bedrock", "bedrock-od": "bedrock", "gemini": "vertex_gemini",
    "claude-on-vertex": "vertex_anthropic", "sagemaker": "sagemaker", "openai": "openai",
}
REGIONS = {"gemini": "us-central1", "claude-on-vertex": "us-east5", "sagemaker": "us-west-2"}
MODELS = {
    "bedrock-pt": "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",
    "bedrock-od": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "gemini": "gemini-2.5-flash",
    "claude-on-vertex": "claude-sonnet-4@20250514", "sagemaker": "chat-endpoint", "openai": "gpt-5-mini",
}


def simulated():
    return {"scale": 0, "seed": 7, "endpoints": [
        {"name": name, "dialect": dialect, "region": REGIONS.get(name, "us-east-1"), "verify": True}
        for name, dialect in ENDPOINTS.items()]}


def shape(value, names):
    """Keys and kinds of values; an endpoint's and a model's name stand for themselves."""
    if isinstance(value, dict):
        return {"NAME" if key in names else key: shape(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0], names)] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


class SixClouds(ProcessTest):
    def setUp(self):
        super().setUp()
        # Nothing of this machine's own may answer for the simulated issuers.
        for name in list(os.environ):
            if name.startswith(("AWS_", "GOOGLE_", "GCE_")):
                del os.environ[name]
        os.environ.update(HOME=str(self.folder), OPENAI_KEY="simulator-key")

    def auth(self, name, url):
        if ENDPOINTS[name].startswith("vertex"):
            return {"kind": "google", "metadata_url": url}
        if name == "openai":
            return {"kind": "api_key", "api_key": "${OPENAI_KEY}"}
        return {"kind": "aws", "imds_url": url}

    def callers(self, url, first):
        """`first` answers everything; another provider stands behind it, as every feature must have one."""
        behind = "openai" if first != "openai" else "gemini"
        config = {"providers": {}, "models": {}, "endpoints": {"list": []}}
        for name in (first, behind):
            config["providers"][name] = {
                "dialect": ENDPOINTS[name], "region": REGIONS.get(name, "us-east-1"), "auth": self.auth(name, url),
                "base_url": f"{url}/{name}" + ("/v1" if name == "openai" else ""),
                **({"project": "simulated-project"} if ENDPOINTS[name].startswith("vertex") else {})}
            config["models"][f"at-{name}"] = {}
            config["endpoints"]["list"].append(
                {"id": name, "provider": name, "model": f"at-{name}", "remote_model": MODELS[name],
                 "kind": "reserved" if name == "bedrock-pt" else "on_demand"})
        config["features"] = {"recap": {"hierarchy": [f"at-{first}", f"at-{behind}"], "class": "batch"}}
        return self.write_config(f"{first}.yaml", config)

    def test_the_same_points_whichever_provider_answers(self):
        """D12: whoever asked cannot tell who answered but by the names in the account of the run."""
        simulator = self.simulate(simulated())
        recaps, accounts = {}, {}
        for name in ENDPOINTS:
            out = self.folder / name
            ended = self.run_troupe("run", "recap", "--config", self.callers(simulator.url, name), "--input", SAMPLE,
                                    "--out", out, "--state", self.folder / f"{name}-state", *DAYS)
            self.assert_status(ended, DONE)
            calls = read_json(out / "run.json")["calls"]
            self.assertEqual(set(calls["by_endpoint"]), {name}, "another endpoint answered")
            recaps[name] = read_json(out / "recap.json")
            accounts[name] = shape(read_json(out / "run.json"), (name, f"at-{name}"))
            show(f"six_clouds {name}", calls["total"], "calls")
        for name, recap in recaps.items():
            with self.subTest(name):
                self.assertEqual(recap, recaps["openai"])
                self.assertEqual(accounts[name], accounts["openai"])
        self.assertGreater(sum(len(channel["points"]) for channel in recaps["openai"]["channels"]), 5)

    def test_the_shipped_configuration_runs_and_uses_its_reserved_capacity(self):
        out = self.folder / "out"
        ended = self.run_troupe("run", "recap", "--config", SHIPPED, "--input", SAMPLE, "--out", out, *DAYS)
        self.assert_status(ended, DONE)
        by_endpoint = read_json(out / "run.json")["calls"]["by_endpoint"]
        show("six_clouds shipped", by_endpoint)
        self.assertGreater(by_endpoint.get("bedrock-pt", 0), 0)


if __name__ == "__main__":
    main()
