"""People ask a node under keys of their own: what they submit runs with their rights, and others' runs are not there."""
import json

import clouds
from troupe_process import BAD_INPUT, DONE, INPUT_MISSING, NO_ENDPOINT, ProcessTest, main

RECORDS = [{"id": "open", "title": "The lamp", "text": "The lamp of the north lighthouse burns oil."},
           {"id": "hers", "title": "The wreck", "text": "The wreck was blamed on the lamp by Moor.", "acl": ["ann"]}]


class Rights(ProcessTest):
    def setUp(self):
        super().setUp()
        keys = {name: self.run_troupe("keygen", "--out", self.folder / f"{name}.key").out.strip()
                for name in ("node", "ann", "bob", "service")}
        self.write("corpus.jsonl", "".join(json.dumps(record) + "\n" for record in RECORDS))
        config = self.write_config("node.yaml", clouds.callers(
            "simulator", simulator=clouds.simulated(0), node={"id": "n", "state_dir": str(self.folder / "state")},
            features={"search": {"hierarchy": ["chat"]}},
            cluster={"listen": "tcp://127.0.0.1:0", "secret_key": "file:node.key", "client_keys": [keys["service"]],
                     "clients": [{"public_key": keys[name], "principal": name} for name in ("ann", "bob")]}))
        address = self.start("node", "--config", config).ready()["address"]
        self.to = {name: ("--to", address, "--server-key", keys["node"], "--key", self.folder / f"{name}.key")
                   for name in ("ann", "bob", "service")}

    def search(self, who, run_id, *more):
        return self.run_troupe("submit", "search", "--input", self.folder / "corpus.jsonl", "--set",
                               "question=What was the wreck blamed on?", "--run-id", run_id, "--wait", *more, *self.to[who])

    def found(self, run_id):
        shown = self.run_troupe("runs", "show", run_id, *self.to["service"])
        self.assert_status(shown, DONE)
        return [result["doc"] for result in json.loads(shown.json()["output"])["results"]]

    def test_the_rights_are_those_of_the_key(self):
        self.assert_status(self.search("ann", "anns"), DONE)
        self.assert_status(self.search("bob", "bobs"), DONE)
        self.assertIn("hers", self.found("anns"))
        self.assertNotIn("hers", self.found("bobs"))
        self.assert_refused(self.search("bob", "posing", "--set", "principal=ann"), BAD_INPUT, "as bob")
        # A service is trusted to say for whom.
        self.assert_status(self.search("service", "hers", "--set", "principal=ann"), DONE)
        self.assertIn("hers", self.found("hers"))

    def test_others_runs_are_not_there(self):
        self.assert_status(self.search("ann", "anns"), DONE)
        self.assert_status(self.run_troupe("runs", "show", "anns", *self.to["ann"]), DONE)
        self.assert_refused(self.run_troupe("runs", "show", "anns", *self.to["bob"]), INPUT_MISSING, "anns")
        self.assert_refused(self.search("bob", "anns"), BAD_INPUT, "taken")
        for verb in (("runs", "list"), ("runs", "export", "anns"), ("control", "list")):
            self.assert_refused(self.run_troupe(*verb, *self.to["bob"]), NO_ENDPOINT, "not for clients")


if __name__ == "__main__":
    main()
