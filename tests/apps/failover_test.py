"""Two nodes on one PostgreSQL: what one that died, or was held up past its lease, has begun, the other ends. And what
comes late writes nothing."""
import json
import signal
import unittest

import clouds
from postgres import Postgres, find_server
from troupe_process import DONE, SAMPLE, ProcessTest, main, show, wait_until

RECORDED_FIRST = 5


@unittest.skipIf(find_server() is None, "NO PostgreSQL server is installed: failover was not tested")
class Failover(ProcessTest):
    def setUp(self):
        super().setUp()
        self.server = Postgres()
        self.addCleanup(self.server.close)
        self.addCleanup(self._end_all)

    def config(self, node):
        return self.write_config(f"{node}.yaml", clouds.callers(
            "simulator", 2, alike=True, simulator=clouds.simulated(0.3, alike=True), node={"id": node},
            store={"kind": "postgres", "url": self.server.url()}))

    def begin_on_a(self):
        """A run on node a that has recorded some steps and has more before it."""
        first = self.start("run", "recap", "--config", self.config("a"), "--input", SAMPLE, "--set", "chunk_tokens_max=400",
                           "--out", self.folder / "out", "--state", self.folder / "a", "--run-id", "one", "--quiet")
        wait_until(lambda: len(self.recorded()) >= RECORDED_FIRST or not first.going(), "the first steps are recorded")
        self.assertTrue(first.going(), "".join(first.err))
        return first

    def entries(self):
        told = self.run_troupe("runs", "export", "one", "--config", self.folder / "a.yaml", "--state", self.folder / "a")
        return [json.loads(line) for line in told.out.splitlines()] if told.status == DONE else []

    def recorded(self):
        return [entry["step"] for entry in self.entries() if entry["kind"] == "result"]

    def end_on_b(self):
        self.start("node", "--config", self.config("b"), "--state", self.folder / "b").ready()
        wait_until(lambda: any(entry["kind"] == "done" for entry in self.entries()), "the other node has ended the run",
                   seconds=60)

    def check_history(self, before):
        entries = self.entries()
        recorded = [entry["step"] for entry in entries if entry["kind"] == "result"]
        self.assertEqual(len(recorded), len(set(recorded)), "a step was recorded twice")
        self.assertEqual(recorded[:len(before)], before, "what the first node recorded stands")
        epochs = [entry["epoch"] for entry in entries]
        self.assertEqual(epochs, sorted(epochs), "an older writer wrote after a younger one")
        self.assertEqual(len(set(epochs)), 2)
        checked = self.run_troupe("runs", "check", "--config", self.folder / "a.yaml", "--state", self.folder / "a")
        self.assert_status(checked, DONE)
        begun_again = {entry["step"] for entry in entries if entry["kind"] == "intent" and entry["epoch"] == epochs[-1]}
        self.assertFalse(begun_again & set(before), "recorded answers were bought again")
        return entries

    def test_another_node_ends_what_one_that_died_began(self):
        first = self.begin_on_a()
        first.kill()
        before = self.recorded()
        self.end_on_b()
        self.check_history(before)

    def begin_waiting_on_a(self):
        """Node a with a run that waits for a word; the address and the words with which node b is asked."""
        self.write("words.yaml", "workflow: words\ninputs: {}\nsteps:\n  - {id: one, signal: word}\n")
        config = self.config("a")
        first = self.start("run", self.folder / "words.yaml", "--config", config, "--out", self.folder / "out", "--state",
                           self.folder / "a", "--run-id", "one", "--quiet")
        wait_until(lambda: self.entries() or not first.going(), "the run has begun")
        self.assertTrue(first.going(), "".join(first.err))
        return first

    def begin_asking_b(self):
        keys = {name: self.run_troupe("keygen", "--out", self.folder / f"{name}.key").out.strip() for name in ("b", "client")}
        config = json.loads(self.config("b").read_text())
        config["cluster"] = {"listen": "tcp://127.0.0.1:0", "secret_key": "file:b.key", "client_keys": [keys["client"]]}
        config["workflows"] = ["words.yaml"]
        node = self.start("node", "--config", self.write_config("b.yaml", config), "--state", self.folder / "b")
        return ("--to", node.ready()["address"], "--server-key", keys["b"], "--key", self.folder / "client.key")

    def check_cancelled(self):
        kinds = [entry["kind"] for entry in self.entries()]
        self.assertEqual((kinds.count("cancel"), kinds.count("done")), (1, 0))
        self.assert_status(self.run_troupe("runs", "check", "--config", self.folder / "a.yaml", "--state", self.folder / "a"),
                           DONE)

    def test_a_run_on_one_node_is_called_off_through_another(self):
        first = self.begin_waiting_on_a()
        to_b = self.begin_asking_b()
        told = self.run_troupe("runs", "cancel", "one", *to_b)
        self.assert_status(told, DONE)
        self.assertIn("asked a to cancel one", told.err)
        self.assertEqual(told.out, "one: cancelled\n")
        show("failover.cancel_over_nodes_s", f"{told.seconds:.2f}", "s")
        first.wait()
        self.assertEqual(self.run_troupe("runs", "cancel", "one", *to_b).out, "one: cancelled\n")
        self.check_cancelled()

    def test_a_run_called_off_while_its_node_is_dead_is_not_gone_on_with(self):
        first = self.begin_waiting_on_a()
        first.kill()
        told = self.run_troupe("runs", "cancel", "one", "--config", self.folder / "a.yaml", "--state", self.folder / "a",
                               "--wait", "0")
        self.assert_status(told, DONE)
        self.assertIn("still running", told.err)
        to_b = self.begin_asking_b()
        wait_until(lambda: self.run_troupe("runs", "show", "one", *to_b).json()["state"] == "cancelled",
                   "the heir has called it off", seconds=60)
        self.check_cancelled()

    def test_a_node_held_up_past_its_lease_writes_nothing_late(self):
        first = self.begin_on_a()
        first.send(signal.SIGSTOP)
        before = self.recorded()
        self.end_on_b()
        settled = self.check_history(before)
        first.send(signal.SIGCONT)
        ended = first.wait()
        self.assertNotEqual(ended.status, DONE, "it must not claim the run's end")
        self.assertEqual(self.entries(), settled, "zero late rows")
        show("failover.held_up_node_ended_with", ended.status)

    def test_a_run_outlives_a_server_that_dies(self):
        first = self.begin_on_a()
        before = self.recorded()
        self.server.stop(signal.SIGQUIT)
        self.server.start()
        self.assert_status(first.wait(seconds=120), DONE)
        entries = self.entries()
        recorded = [entry["step"] for entry in entries if entry["kind"] == "result"]
        self.assertEqual(recorded[:len(before)], before, "what was acknowledged is there")
        self.assertEqual(len(recorded), len(set(recorded)))
        checked = self.run_troupe("runs", "check", "--config", self.folder / "a.yaml", "--state", self.folder / "a")
        self.assert_status(checked, DONE)


if __name__ == "__main__":
    main()
