"""Two nodes on loopback, every byte between them recorded, one of them killed twice in the middle of a run."""
import json
import shutil

import clouds
from relay import Relay
from troupe_process import (BAD_CONFIG, DAYS, DONE, INPUT_MISSING, INTERRUPTED, NO_ENDPOINT, SAMPLE, ProcessTest, main,
                            read_json, show, terminate, wait_until)

CANARY = "the canary sings at quarter past nine"


class TwoNodes(ProcessTest):
    def setUp(self):
        super().setUp()
        self.keys = {}
        for name in ("a", "b", "client", "stranger"):
            told = self.run_troupe("keygen", "--out", self.folder / f"{name}.key")
            self.assert_status(told, DONE)
            self.keys[name] = told.out.strip()
        self.relay = Relay()
        self.addCleanup(self.relay.close)

    def node_config(self, name, simulator, peer):
        config = clouds.callers(simulator.url)
        config["node"] = {"id": f"node-{name}", "state_dir": f"state-{name}"}
        for endpoint, home in zip(config["endpoints"]["list"], ("node-a", "node-b")):
            endpoint["home"] = home
        config["cluster"] = {"listen": "tcp://127.0.0.1:0", "secret_key": f"file:{name}.key", "peers": [peer],
                             "client_keys": [self.keys["client"]]}
        return self.write_config(f"{name}.yaml", config)

    def start_b(self):
        """Every life has a port of its own; the relay is told."""
        node = self.start("node", "--config", self.config_b)
        self.relay.target = node.ready()["address"].removeprefix("tcp://")
        return node

    def start_both(self, scale=0.3):
        simulator = self.simulate(clouds.simulated(scale))
        self.config_b = self.node_config("b", simulator, {"id": "node-a", "public_key": self.keys["a"]})
        config_a = self.node_config("a", simulator, {"id": "node-b", "public_key": self.keys["b"],
                                                     "address": self.relay.address})
        b = self.start_b()
        a = self.start("node", "--config", config_a)
        self.to_a = ("--to", a.ready()["address"], "--server-key", self.keys["a"], "--key", self.folder / "client.key")
        wait_until(lambda: self.seen_from_a()["spare"] == "closed", "node-a hears node-b")
        return simulator, a, b

    def ask(self, *verb):
        return self.run_troupe(*verb, *self.to_a)

    def seen_from_a(self):
        """Endpoint -> state, or "unreachable"."""
        told = self.ask("endpoints", "--json")
        self.assert_status(told, DONE)
        return {line["endpoint"]: line["state"] if line.get("reachable", True) else "unreachable" for line in told.json()}

    def workspace(self):
        """The sample with a sentence that must not cross the wire readably."""
        folder = shutil.copytree(SAMPLE, self.folder / "workspace")
        for day in (folder / "general").glob("*.json"):
            messages = json.loads(day.read_text(encoding="utf-8"))
            messages[0]["text"] = f"{CANARY}: {messages[0]['text']}"
            day.write_text(json.dumps(messages), encoding="utf-8")
        return folder

    def submit(self, workspace, out, *more):
        return ("submit", "recap", "--input", workspace, *DAYS, "--out", self.folder / out, *more, *self.to_a)

    def test_loses_nothing_when_one_of_them_is_killed_twice(self):
        simulator, _, b = self.start_both()
        workspace = self.workspace()
        self.assert_status(self.run_troupe(*self.submit(workspace, "calm", "--wait")), DONE)
        calm = read_json(self.folder / "calm" / "run.json")
        show("two_nodes.calls", calm["calls"]["by_endpoint"])
        self.assertGreater(calm["calls"]["by_endpoint"]["spare"], 5, "node-b's endpoint is used")
        self.check_wire()
        before = simulator.total()
        client = self.start(*self.submit(workspace, "killed", "--wait", "--run-id", "killed"))
        for moment in (10, 30):
            wait_until(lambda: simulator.total() - before >= moment or not client.going(), f"call {moment}")
            self.assertTrue(client.going(), "".join(client.err))
            b.kill()
            wait_until(lambda: self.seen_from_a()["spare"] == "unreachable", "node-a notices")
            b = self.start_b()
            wait_until(lambda: self.seen_from_a()["spare"] != "unreachable", "node-b is heard again")
        ended = client.wait()
        self.assert_status(ended, DONE)
        killed = read_json(self.folder / "killed" / "run.json")
        show("two_nodes.calls_with_two_kills", killed["calls"])
        self.assertEqual((self.folder / "calm" / "recap.json").read_bytes(),
                         (self.folder / "killed" / "recap.json").read_bytes())
        self.assertEqual(killed["state"], "done")
        self.check_wire()

    def check_wire(self):
        recorded = self.relay.recorded()
        show("two_nodes.bytes_on_the_wire", len(recorded))
        self.assertGreater(len(recorded), 10000)
        for word in (CANARY, "canary", "northlink", "sources", "recap", "general"):
            self.assertNotIn(word.encode(), recorded)

    def test_answers_questions_over_the_wire(self):
        self.start_both(0)
        self.assert_status(self.run_troupe(*self.submit(SAMPLE, "out", "--wait", "--run-id", "mine")), DONE)
        runs = self.ask("runs", "list", "--json").json()
        self.assertEqual([(run["run_id"], run["state"], run["node"]) for run in runs], [("mine", "done", "node-a")])
        self.assertEqual(self.ask("runs", "show", "mine").json()["state"], "done")
        history = [json.loads(line) for line in self.ask("runs", "export", "mine").out.splitlines()]
        self.assertEqual((history[0]["kind"], history[-1]["kind"]), ("start", "done"))
        plan = self.ask("route", "explain", "--feature", "recap", "--json").json()
        self.assertEqual({each["endpoint"] for each in plan["plan"]}, {"main", "spare"})
        costs = {row["key"]: row["attempts"] for row in self.ask("cost", "--by", "endpoint", "--json").json()}
        self.assertEqual(sum(costs.values()), read_json(self.folder / "out" / "run.json")["calls"]["total"])
        self.assert_refused(self.ask("runs", "show", "nope"), INPUT_MISSING, "nope")
        self.assert_refused(self.ask("route", "explain", "--feature", "nope"), INPUT_MISSING, "nope")

    def test_cancels_a_run_over_the_wire(self):
        simulator, _, _ = self.start_both(3)
        told = self.run_troupe(*self.submit(SAMPLE, "out", "--run-id", "unwanted"))
        self.assert_status(told, DONE)
        self.assertEqual(told.out.strip(), "unwanted")
        wait_until(lambda: simulator.total() >= 4, "it calls")
        self.assert_status(self.ask("runs", "cancel", "unwanted"), DONE)
        wait_until(lambda: self.ask("runs", "show", "unwanted").json()["state"] == "cancelled", "it is cancelled")
        self.assertLess(simulator.total(), 68)

    def test_refuses_keys_that_are_not_listed(self):
        _, a, b = self.start_both(0)
        stranger = (*self.to_a[:-1], self.folder / "stranger.key")
        refused = self.run_troupe("runs", "list", *stranger)
        self.assert_refused(refused, BAD_CONFIG, "refused")
        # A node that was expected elsewhere: same id, another key.
        terminate(b)
        shutil.copy(self.folder / "stranger.key", self.folder / "b.key")
        impostor = self.start_b()
        wait_until(lambda: self.seen_from_a()["spare"] == "unreachable", "node-b is gone")
        self.assertEqual(terminate(impostor).status, INTERRUPTED)
        self.assertEqual(self.seen_from_a()["spare"], "unreachable")
        self.assertTrue(a.going())

    def test_says_when_nobody_answers(self):
        self.start_both(0)
        nobody = ("--to", "tcp://127.0.0.1:9", *self.to_a[2:])
        ended = self.run_troupe("endpoints", *nobody)
        self.assert_refused(ended, NO_ENDPOINT, "127.0.0.1:9")
        show("two_nodes.unreachable_after", f"{ended.seconds:.1f}", "s")
        without_key = self.run_troupe("endpoints", *self.to_a[:2])
        self.assert_refused(without_key, BAD_CONFIG, "--server-key", "--key")


if __name__ == "__main__":
    main()
