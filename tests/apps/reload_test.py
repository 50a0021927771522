"""A new model from a line in a file to all customers, while the node serves: written down and read again, that is all
a person does (C13). One that answers badly never gets past its copies. What cannot be taken over changes nothing."""
import copy
import json
import signal
import threading
from collections import Counter

import clouds
from relay import Relay
from troupe_process import BAD_CONFIG, DONE, ProcessTest, main, read_json, show, wait_until

LAW = {"ttft_median": "300ms", "inter_token_median": "10ms"}
SIMULATED = {"scale": 0.01, "seed": 7, "endpoints": [
    {"name": name, "dialect": "openai", "latency": LAW} for name in ("main", "spare", "next")]}
CALLS = 2000


FLOW = f"""workflow: steady
inputs: {{}}
steps:
  - {{id: items, value: {json.dumps([f"word {number}" for number in range(CALLS)])}}}
  - {{id: calls, for_each: steps.items, parallel: 16, feature: chat, prompt: "[1] desk: Say {{{{item}}}}."}}
output: "{{{{steps.calls | length}}}}"
"""


class Traffic(threading.Thread):
    """Run after run on a node, sixteen calls at a time. A call that fails fails its run."""

    def __init__(self, test, node):
        super().__init__(daemon=True)
        self.test, self.node, self.over = test, node, threading.Event()
        self.statuses, self.endpoints, self.causes = [], Counter(), Counter()

    def run(self):
        while not self.over.is_set():
            number = len(self.statuses)
            out = self.test.folder / f"out-{number}"
            ended = self.test.run_troupe("submit", self.test.folder / "flow.yaml", "--run-id", f"steady-{number}",
                                         "--wait", "--quiet", "--out", out, *self.node.to)
            self.statuses.append(ended.status)
            calls = read_json(out / "run.json")["calls"]
            self.endpoints.update(calls["by_endpoint"])
            self.causes.update(calls["by_cause"])

    def end(self):
        self.over.set()
        self.join(120)


class Node:
    """One node of a test, its file, and questions to it."""

    def __init__(self, test, simulator, name="n", **cluster):
        self.test, self.name = test, name
        told = test.run_troupe("keygen", "--out", test.folder / f"{name}.key")
        self.key = told.out.strip()
        client = test.run_troupe("keygen", "--out", test.folder / f"{name}-client.key").out.strip()
        config = clouds.callers(simulator.url, in_flight=64, alike=True)
        config["node"] = {"id": name, "state_dir": f"state-{name}"}
        config["cluster"] = {"listen": "tcp://127.0.0.1:0", "secret_key": f"file:{name}.key", "client_keys": [client],
                             **cluster}
        config["features"] = {"chat": {"hierarchy": ["chat"]}}
        # Free, so that the gate of cost has nothing to wait for; and of milliseconds a busy machine makes what it likes.
        config["prices"] = {"models": {}}
        config["endpoints"]["defaults"]["breaker"].update(
            {"ttft_ratio_max": 1000, "itl_ratio_max": 1000, "total_ratio_max": 1000, "stall_ratio_max": 1000})
        self.config = config

    def write(self):
        return self.test.write_config(f"{self.name}.yaml", self.config)

    def start(self):
        self.process = self.test.start("node", "--config", self.write())
        self.address = self.process.ready()["address"]
        self.to = ("--to", self.address, "--server-key", self.key, "--key",
                   self.test.folder / f"{self.name}-client.key")
        return self

    def ask(self, *words, status=DONE):
        told = self.test.run_troupe(*words, "--json", *self.to)
        self.test.assert_status(told, status)
        return told.json() if status == DONE else told

    def reload(self, *words, status=DONE):
        self.write()
        return self.ask("control", "reload", *words, status=status)

    def rollout(self):
        return self.ask("control", "rollout", "status", "to-next")

    def endpoints(self):
        return {each["endpoint"]: each for each in self.ask("endpoints")}

    def owns(self, endpoint):
        line = self.endpoints()[endpoint]
        return line["home"] == self.name and line.get("reachable", True)

    def reachable(self, endpoint):
        return self.endpoints()[endpoint].get("reachable", True)

    def copies(self):
        return {row["key"]: row["attempts"] for row in self.ask("cost", "--by", "cause")}.get("shadow", 0)

    def add_model(self, simulator):
        """The first of the two things a person does: the new model, its shadow and its rollout in the file."""
        config = self.config
        config["providers"]["cloud-3"] = {"dialect": "openai", "base_url": f"{simulator.url}/next/v1", "region": "r3"}
        config["models"]["next"] = {"description": "the candidate"}
        config["endpoints"]["list"].append({"id": "next", "provider": "cloud-3", "model": "next",
                                            "remote_model": "next-model", "limits": {"in_flight_max": 64}})
        config["features"]["chat"] = {"hierarchy": ["chat", "next"], "shadow": {
            "model": "next", "share": 1, "tokens_per_hour": 10**9, "usd_per_hour": 1000, "in_flight_max": 32}}
        config["rollouts"] = {"to-next": {
            "feature": "chat", "model": "next", "unit": "request", "after_copies": 100, "dwell": "100ms",
            "samples_min": 30, "failure_margin": 0.6, "ttft_ratio_max": 5, "total_ratio_max": 5}}


class Reload(ProcessTest):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate(SIMULATED)
        self.node = Node(self, self.simulator)

    def serve(self):
        """A node under steady calls."""
        self.write("flow.yaml", FLOW)
        self.node.config["workflows"] = ["flow.yaml"]
        self.node.start()
        self.traffic = Traffic(self, self.node)
        self.addCleanup(self.traffic.end)
        self.traffic.start()
        wait_until(lambda: self.simulator.total() > 50, "calls are made")

    def finish(self):
        self.traffic.end()
        self.assertEqual(set(self.traffic.statuses), {DONE}, "no call of a customer failed")

    def test_a_new_model_reaches_everyone_in_two_steps_of_a_person(self):
        self.serve()
        steps = ["write the model, its shadow and its rollout into the file"]
        self.node.add_model(self.simulator)
        told = self.node.reload()
        steps.append("troupe control reload")
        self.assertEqual(told["endpoints"], {"added": ["next"], "removed": [], "changed": []})
        self.assertEqual((told["shadows"]["added"], told["rollouts"]["added"]), (["chat"], ["to-next"]))
        wait_until(lambda: self.node.rollout()["state"] == "done", "the rollout is done", 150)
        trail = [each for each in self.node.ask("control", "audit") if "to-next" in each["subject"]]
        show("reload.trail", [each["why"] for each in trail])
        self.assertEqual({each["who"] for each in trail}, {"rollout"}, "nobody gave an order")
        self.assertEqual(len(trail), 5, "began at 1, then 5, 10 and 100 percent, and done")
        self.assertIn("copies: ", trail[0]["why"])
        # What was tried out becomes the rule, again without a restart and under calls.
        self.node.config["features"]["chat"] = {"hierarchy": ["next", "chat"]}
        self.node.config["rollouts"] = {}
        told = self.node.reload()
        self.assertEqual((told["rollouts"]["removed"], told["shadows"]["removed"]), (["to-next"], ["chat"]))
        self.finish()
        show("reload.good_model", {"runs": len(self.traffic.statuses), **self.traffic.endpoints, **self.traffic.causes})
        show("reload.human_steps", steps)
        self.assertGreaterEqual(self.node.copies(), 100)
        self.assertGreater(self.traffic.endpoints["next"], 100)
        self.assertTrue(self.node.process.going())

    def test_a_model_that_answers_badly_never_gets_past_its_copies(self):
        self.simulator.set_faults("next", [{"kind": "errors"}])
        self.serve()
        self.node.add_model(self.simulator)
        self.node.reload()
        wait_until(lambda: self.node.rollout()["state"] == "rolled_back", "its copies have told", 120)
        wait_until(lambda: len(self.traffic.statuses) >= 3, "runs have ended", 120)
        self.finish()
        state = self.node.rollout()
        show("reload.bad_model", {"state": state["state"], "why": state.get("why", state.get("next")),
                                  "copies": self.node.copies(), **self.traffic.endpoints, **self.traffic.causes})
        self.assertEqual((state["state"], state["share"]), ("rolled_back", 0))
        self.assertIn("copies: worse: failures", state["why"])
        self.assertGreaterEqual(self.node.copies(), 30)
        self.assertEqual(self.traffic.endpoints["next"], 0, "no call of a customer was sent there")

    def test_a_fault_leaves_everything_as_it_was_and_is_told_to_who_asked_and_in_the_log(self):
        self.node.start()
        before = copy.deepcopy(self.node.config)

        def refused(words, **sections):
            self.node.config = {**copy.deepcopy(before), **sections}
            told = self.node.reload(status=BAD_CONFIG)
            self.assertIn(words, told.err)
            wait_until(lambda: words in "".join(self.node.process.err), f"the log says {words}", 5)
            self.assertEqual(set(self.node.endpoints()), {"main", "spare"})

        endpoints = copy.deepcopy(before["endpoints"])
        endpoints["list"].append({"id": "next", "provider": "cloud-9", "model": "chat"})
        refused("cloud-9", endpoints=endpoints)
        endpoints["list"][-1]["provider"] = "cloud-3"
        secret = {"dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "region": "r3",
                  "auth": {"kind": "bearer", "api_key": "${NO_SUCH_VARIABLE}"}}
        refused("NO_SUCH_VARIABLE", endpoints=endpoints, providers={**before["providers"], "cloud-3": secret})
        refused("node.tokens_per_minute", node={**before["node"], "tokens_per_minute": 1000})
        self.node.config = {**copy.deepcopy(before), "endpoints": endpoints}
        self.node.config["providers"]["cloud-3"] = {**secret, "auth": {"kind": "none"}}
        self.assertEqual(self.node.reload("--dry-run")["endpoints"]["added"], ["next"])
        self.assertEqual(set(self.node.endpoints()), {"main", "spare"}, "that was only asked")
        self.node.process.send(signal.SIGHUP)
        wait_until(lambda: "next" in self.node.endpoints(), "the endpoint is there")
        self.node.config = before
        self.node.reload()
        wait_until(lambda: set(self.node.endpoints()) == {"main", "spare"}, "it is gone")


class TwoNodes(ProcessTest):
    def start_both(self):
        """Node b owns `spare`, node a the rest; a connects to b."""
        simulator = self.simulate(SIMULATED)
        a, b = Node(self, simulator, "a"), Node(self, simulator, "b")
        b.config["cluster"]["peers"] = [{"id": "a", "public_key": a.key}]
        for node in (a, b):
            for endpoint, home in zip(node.config["endpoints"]["list"], ("a", "b")):
                endpoint["home"] = home
        b.start()
        self.relay = Relay()
        self.addCleanup(self.relay.close)
        self.join(b)
        a.config["cluster"]["peers"] = [{"id": "b", "public_key": b.key, "address": self.relay.address}]
        a.start()
        wait_until(lambda: a.reachable("spare") and b.reachable("main"), "they hear each other")
        return simulator, a, b

    def join(self, b):
        self.relay.target = b.address.removeprefix("tcp://")

    def give_spare_to(self, home, *nodes):
        for node in nodes:
            node.config["endpoints"]["list"][1]["home"] = home
            node.reload()

    def test_an_endpoint_that_two_files_claim_is_served_by_one_also_after_a_partition(self):  # F14
        _, a, b = self.start_both()
        self.assertTrue(b.owns("spare"))
        self.give_spare_to("a", a)
        wait_until(lambda: "both give it to themselves" in "".join(a.process.err), "a sees what is wrong")
        wait_until(lambda: "both give it to themselves" in "".join(b.process.err), "and so does b")
        self.assertEqual((a.owns("spare"), b.owns("spare")), (False, True), "who has it keeps it")
        self.relay.cut()
        wait_until(lambda: a.owns("spare"), "a hears nobody who has it")
        self.assertTrue(b.owns("spare"), "and neither does b")
        self.join(b)
        wait_until(lambda: not a.owns("spare"), "who began later lets it go")
        self.assertTrue(b.owns("spare"))
        self.give_spare_to("a", b)
        wait_until(lambda: a.owns("spare"), "the files agree")
        wait_until(lambda: b.reachable("spare"), "b hears how it is there")
        self.assertFalse(b.owns("spare"))

    def test_nodes_that_disagree_for_a_while_send_nothing_where_nobody_owns_it(self):  # F14
        simulator, a, b = self.start_both()
        extra = {"id": "next", "provider": "cloud-1", "model": "chat", "remote_model": "main-model", "home": "a",
                 "limits": {"in_flight_max": 64}}
        b.config["endpoints"]["list"].append(extra)
        b.reload()
        self.assertFalse(b.reachable("next"), "its owner does not know of it yet")
        plan = b.ask("route", "explain", "--feature", "chat")["plan"]
        self.assertNotIn("next", [each["endpoint"] for each in plan])
        a.config["endpoints"]["list"].append(dict(extra))
        a.reload()
        wait_until(lambda: b.reachable("next"), "its owner has said how it is", 5)
        a.config["endpoints"]["list"].pop()
        a.reload()
        wait_until(lambda: not b.reachable("next"), "its owner has said that it is gone", 5)
        b.config["endpoints"]["list"].pop()
        b.reload()
        wait_until(lambda: set(a.endpoints()) == set(b.endpoints()) == {"main", "spare"}, "they agree")
        passed = b.ask("route", "explain", "--feature", "chat")["passed_over"]
        self.assertNotIn("next", [each["endpoint"] for each in passed], "it is no place any more")


if __name__ == "__main__":
    main()
