"""A candidate that is quick, cheap, never fails and answers badly: only a judge tells, and no customer sees it (L7, B6).
The judge is the simulator's rule, which counts words and is no language model; the candidate is a server of this test."""
import json

from posts import PostServer
from reload_test import FLOW, LAW, Node, Traffic
from troupe_process import DONE, ProcessTest, main, show, wait_until

SIMULATED = {"scale": 0.01, "seed": 7, "endpoints": [
    {"name": name, "dialect": "openai", "latency": LAW} for name in ("main", "spare", "wise-1", "wise-2")]}


class Candidate(PostServer):
    """Chat completions that say nothing, well-formed."""
    answered = 0

    def answer(self, path, sent):
        self.answered += 1
        body, kind = self.completion(json.loads(sent), f"That is hard to tell ({self.answered}).")
        return 200, kind, body

    @staticmethod
    def completion(asked, text):
        usage = {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18}
        base = {"id": "c", "model": asked["model"]}
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
            return json.dumps(whole).encode(), "application/json"
        choices = [[{"index": 0, "delta": {"role": "assistant", "content": text}}],
                   [{"index": 0, "delta": {}, "finish_reason": "stop"}], []]
        lines = [{**base, "object": "chat.completion.chunk", "choices": each} for each in choices]
        lines[-1]["usage"] = usage
        return ("".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n").encode(), \
            "text/event-stream"


class Judged(ProcessTest):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate(SIMULATED)
        self.candidate = Candidate()
        self.addCleanup(self.candidate.close)
        self.node = Node(self, self.simulator)
        config = self.node.config
        for number in (1, 2):
            config["providers"][f"wise-{number}"] = {"dialect": "openai", "region": f"w{number}",
                                                     "base_url": f"{self.simulator.url}/wise-{number}/v1"}
            config["endpoints"]["list"].append({"id": f"wise-{number}", "provider": f"wise-{number}", "model": "wise",
                                                "remote_model": "wise-model"})
        config["models"]["wise"] = {"description": "judges"}
        config["prices"] = {"models": {"wise-model": {"input": 1.0, "output": 3.0}}}
        config["features"]["verdicts"] = {"hierarchy": ["wise"], "class": "batch"}
        self.write("flow.yaml", FLOW)
        config["workflows"] = ["flow.yaml"]

    def try_out(self, **judge):
        """The candidate with its shadow, rollout and judge, and customers' calls beside it."""
        self.node.start()
        self.traffic = Traffic(self, self.node)
        self.addCleanup(self.traffic.end)
        self.traffic.start()
        self.node.add_model(self.simulator)
        config = self.node.config
        config["providers"]["cloud-3"]["base_url"] = self.candidate.url + "/v1"
        # Of milliseconds nothing is asked: a server of this test is slow beside the simulator.
        config["rollouts"]["to-next"].update({"quality_margin": 0.1, "after_copies": 300, "ttft_ratio_max": 1000,
                                              "total_ratio_max": 1000})
        config["features"]["chat"]["shadow"]["judge"] = {
            "feature": "verdicts", "share": 0.5, "usd_per_day": 100, "in_flight_max": 16, **judge}
        self.node.reload()

    def shadow(self):
        return self.node.ask("control", "shadows")[0]

    def spent(self):
        return {row["key"]: row for row in self.node.ask("cost", "--by", "cause")}

    def finish(self):
        self.traffic.end()
        self.assertEqual(set(self.traffic.statuses), {DONE}, "no call of a customer failed")

    def test_answers_that_are_worse_end_a_rollout_before_a_customer_has_seen_one(self):
        self.try_out()
        wait_until(lambda: self.node.rollout()["state"] == "rolled_back", "the judge has seen enough", 120)
        self.finish()
        told = self.node.rollout()
        self.assertIn("quality", told["why"])
        self.assertGreaterEqual(told["judged"], 30)
        judge = self.shadow()["judge"]
        show("judge.bad_candidate", {"why": told["why"], **judge})
        self.assertEqual(judge["pairs"], judge["better"] + judge["worse"] + judge["ties"])
        self.assertGreater(judge["worse"], 0.9 * judge["pairs"])
        self.assertEqual(list(judge["calls"]), ["wise"])
        self.assertEqual(judge["agreement"], 1)
        self.assertEqual(self.traffic.endpoints["next"], 0, "no customer was sent there")
        spent = self.spent()
        self.assertEqual(spent["judge"]["attempts"], judge["calls"]["wise"])
        self.assertAlmostEqual(spent["judge"]["cost_usd"], judge["usd"], places=6)
        tenants = {row["key"]: row["cost_usd"] for row in self.node.ask("cost", "--by", "tenant")}
        self.assertEqual(tenants["judge"], spent["judge"]["cost_usd"], "no customer pays")
        text = self.run_troupe("control", "shadows", *self.node.to).out
        self.assertIn("pairs judged by wise", text)
        self.assertIn("100 % the same in both orders", text)

    def test_a_judge_that_is_down_stops_nothing_and_is_said_to_have_judged_nothing(self):
        for name in ("wise-1", "wise-2"):
            self.simulator.set_faults(name, [{"kind": "errors"}])
        self.try_out()
        wait_until(lambda: self.shadow()["judge"]["not_judged"]["no_verdict"] >= 5, "the judge has failed", 120)
        wait_until(lambda: self.node.copies() >= 100, "copies go on", 120)
        self.finish()
        told = self.node.rollout()
        self.assertEqual(told["judged"], 0)
        self.assertEqual(self.shadow()["judge"]["pairs"], 0)
        self.assertNotIn("quality", [line["what"] for line in self.shadow()["lines"]])

    def test_judging_ends_with_its_money(self):
        self.try_out(usd_per_day=0.005)
        wait_until(lambda: self.shadow()["judge"]["not_judged"]["over_budget"] > 20, "its money is spent", 120)
        self.finish()
        judge = self.shadow()["judge"]
        show("judge.budget", judge)
        self.assertGreater(judge["pairs"], 0)
        self.assertIn("stopped_until_ms", judge)
        self.assertLess(self.spent()["judge"]["cost_usd"], 0.006)


if __name__ == "__main__":
    main()
