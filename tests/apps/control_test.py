"""Orders to a running node: a stop survives kill -9, a start undoes it, and every order is accounted for."""
import json

import clouds
from troupe_process import BAD_INPUT, DONE, INPUT_MISSING, SAMPLE, USAGE, ProcessTest, main, wait_until


class Control(ProcessTest):
    def setUp(self):
        super().setUp()
        self.keys = {}
        for name in ("node", "client"):
            told = self.run_troupe("keygen", "--out", self.folder / f"{name}.key")
            self.assert_status(told, DONE)
            self.keys[name] = told.out.strip()
        config = clouds.callers("simulator", simulator=clouds.simulated(0))
        config["node"] = {"id": "n", "state_dir": "state"}
        config["cluster"] = {"listen": "tcp://127.0.0.1:0", "secret_key": "file:node.key",
                             "client_keys": [self.keys["client"]]}
        config["experiments"] = {"tone": {"percent": 50, "arms": [{"name": "new"}, {"name": "old"}]}}
        config["rollouts"] = {"next": {"feature": "recap", "model": "chat"}}
        self.config = self.write_config("node.yaml", config)
        self.start_node()

    def start_node(self):
        self.node = self.start("node", "--config", self.config)
        self.to = ("--to", self.node.ready()["address"], "--server-key", self.keys["node"],
                   "--key", self.folder / "client.key")

    def control(self, *words, status=DONE):
        told = self.run_troupe("control", *words, "--json", *self.to)
        self.assert_status(told, status)
        return told.json() if status == DONE else told

    def stopped(self):
        return {(each["subject"], each["name"]) for each in self.control("list")["stops"] if each["holds"]}

    def test_a_stop_survives_kill_and_a_start_undoes_it(self):
        self.control("stop", "endpoint", "main", "--why", "wrong answers")
        self.control("stop", "model", "chat", "--ttl", "1h")
        self.assertEqual(self.stopped(), {("endpoint", "main"), ("model", "chat")})
        self.node.kill()
        self.start_node()
        self.assertEqual(self.stopped(), {("endpoint", "main"), ("model", "chat")})
        self.control("start", "endpoint", "main", "--why", "mended")
        self.assertEqual(self.stopped(), {("model", "chat")})
        trail = [(each["kind"], each["subject"], each["why"]) for each in self.control("audit")]
        self.assertEqual(trail, [("stop", "endpoint main", "wrong answers"), ("stop", "model chat", ""),
                                 ("start", "endpoint main", "mended")])

    def test_a_stop_with_a_time_ends_by_itself(self):
        self.control("stop", "model", "chat", "--ttl", "0.3s")
        wait_until(lambda: not self.stopped(), "the stop has ended")

    def test_mistyped_orders_are_refused(self):
        told = self.control("stop", "endpoint", "mian", status=INPUT_MISSING)
        self.assertIn("there are: main, spare", told.err)
        self.control("start", "endpoint", "main", status=INPUT_MISSING)
        self.control("stop", "nonsense", "x", status=BAD_INPUT)
        self.control("flag", "f", "--percent", "101", status=BAD_INPUT)
        self.control("stop", "model", "chat", "--ttl", "soon", status=BAD_INPUT)
        self.control("stop", "model", status=USAGE)
        self.assertEqual(self.stopped(), set())

    def test_a_breaker_is_held_for_a_time(self):
        told = self.control("breaker", "open", "main", "--ttl", "0.5s", "--why", "drill")
        self.assertEqual(told, {"endpoint": "main", "node": "n"})
        state = lambda: {each["endpoint"]: each["state"] for each in
                         self.run_troupe("endpoints", "--json", *self.to).json()}
        wait_until(lambda: state()["main"] == "open", "it is held open")
        self.assertEqual(state()["spare"], "closed")
        wait_until(lambda: state()["main"] == "partial", "the order has ended")
        self.control("breaker", "open", "main", "--ttl", "99d", status=BAD_INPUT)
        self.control("breaker", "smash", "main", "--ttl", "1m", status=BAD_INPUT)
        self.control("breaker", "open", "mian", "--ttl", "1m", status=INPUT_MISSING)
        self.control("breaker", "open", "main", status=USAGE)

    def rate(self, *words, status=DONE):
        told = self.run_troupe("feedback", *words, "--json", *self.to)
        self.assert_status(told, status)
        return told.json() if status == DONE else told

    def test_ratings_reach_the_endpoint_that_answered(self):
        self.assertEqual(self.rate("bad", "--endpoint", "main"), {"endpoint": "main", "node": "n"})
        self.rate("bad", "--endpoint", "mian", status=INPUT_MISSING)
        self.rate("bad", status=BAD_INPUT)
        self.rate("fine", "--endpoint", "main", status=BAD_INPUT)
        self.rate("good", "--run", "r1", "--step", "s1", status=INPUT_MISSING)
        self.run_troupe("submit", "recap", "--input", SAMPLE, "--run-id", "r1", "--wait", *self.to)
        history = [json.loads(line) for line in self.run_troupe("runs", "export", "r1", *self.to).out.splitlines()]
        step = next(each for each in history if "answer" in each)
        rated = self.rate("good", "--run", "r1", "--step", step["step"])
        attempt = step["answer"]["attempts"][-1]
        self.assertEqual(rated["endpoint"], attempt["endpoint"])
        self.assertTrue(rated["counted"])
        # The same by its decision (K8): one rater counts once, another beside; what is unknown is refused.
        again = self.rate(attempt["decision"], "down")
        self.assertEqual((again["counted"], again["score"]), (False, 1))
        other = self.rate(attempt["decision"], "down", "--rater", "r-2", "--note", "too long")
        self.assertEqual((other["counted"], other["model"]), (True, attempt["model"]))
        self.rate("recap.n.0.0", "up", status=INPUT_MISSING)
        self.assertTrue(self.rate("ask", attempt["decision"], "--share", "1")["ask"])
        self.rate("ask", attempt["decision"], "--share", "0", status=BAD_INPUT)
        lines = self.rate("report", "--by", "feature,model")
        line = next(each for each in lines if each["model"] == attempt["model"] and each["rated"])
        self.assertEqual((line["rated"], line["asked"], line["asked_rated"]), (1, 1, 1))
        self.assertEqual((line["basis"], line["spoken"]["mean"]), ("answered", 0.5))
        self.assertEqual(line["shown_share"], line["answers"] / sum(each["answers"] for each in lines))
        self.rate("report", "--by", "colour", status=BAD_INPUT)
        # Every answer says which decision it followed, and that can be made again (E9).
        explained = self.run_troupe("route", "explain", attempt["decision"], "--json", *self.to).json()
        self.assertTrue(explained["same"])
        self.assertEqual(explained["plan"][0]["endpoint"], attempt["endpoint"])

    def test_flags_experiments_and_rollouts_are_shown_and_told(self):
        self.control("flag", "new-prompt", "--percent", "5", "--allow", "acme,globex")
        flag = self.control("list")["flags"][0]
        self.assertEqual((flag["name"], flag["percent"], flag["allow"]), ("new-prompt", 5, ["acme", "globex"]))
        tone = self.control("experiments")[0]
        self.assertEqual([arm["arm"] for arm in tone["arms"]], ["new", "old"])
        self.assertEqual(tone["ratio_p"], 1)
        self.assertEqual(self.control("rollout", "status", "next")["state"], "not begun")
        self.control("rollout", "start", "next")
        self.assertEqual(self.control("rollout", "status", "next")["share"], 0.01)
        self.control("rollout", "rollback", "next", "--why", "no")
        wait_until(lambda: self.control("list")["shares"][0]["state"] == "rolled_back", "the home has seen it")
        self.control("rollout", "status", "nxet", status=INPUT_MISSING)

    def test_a_state_folder_shows_what_was_ordered_but_takes_no_order(self):
        self.control("stop", "model", "chat")
        self.node.kill()
        told = self.run_troupe("control", "list", "--state", self.folder / "state", "--json")
        self.assert_status(told, DONE)
        self.assertEqual([each["name"] for each in told.json()["stops"]], ["chat"])
        told = self.run_troupe("control", "stop", "model", "chat", "--state", self.folder / "state")
        self.assertNotEqual(told.status, DONE)
        self.assertIn("needs a node", told.err)


if __name__ == "__main__":
    main()
