"""Ctrl-C hands the run back, a second one ends at once, SIGTERM stops a node."""
import signal

import clouds
from troupe_process import DAYS, DONE, INTERRUPTED, SAMPLE, ProcessTest, main, read_json, show, terminate, wait_until


class Signals(ProcessTest):
    def command(self, config):
        return ("run", "recap", "--config", config, "--input", SAMPLE, "--out", self.folder / "out", "--state",
                self.folder / "state", "--run-id", "mine", *DAYS)

    def begin(self, scale, calls):
        simulator = self.simulate(clouds.simulated(scale))
        config = self.write_config("config.yaml", clouds.callers(simulator.url))
        process = self.start(*self.command(config))
        wait_until(lambda: simulator.total() >= calls or not process.going(), f"{calls} calls were made")
        return simulator, config, process

    def test_an_interrupted_run_ends_with_75_and_goes_on_where_it_was(self):
        simulator, config, process = self.begin(0.3, 20)
        process.send(signal.SIGINT)
        ended = process.wait()
        self.assert_status(ended, INTERRUPTED)
        self.assertIn("--run-id mine", ended.err)
        self.assertEqual(read_json(self.folder / "out" / "run.json")["state"], "interrupted")
        made = simulator.total()
        again = self.run_troupe(*self.command(config))
        self.assert_status(again, DONE)
        run = read_json(self.folder / "out" / "run.json")
        show("signals.made_before_and_after", f"{made} and {simulator.total() - made} of {run['steps']['total']}")
        # What was in flight at the signal was finished and recorded: nothing is bought twice.
        self.assertEqual(simulator.total(), run["steps"]["total"])
        self.assertEqual(run["steps"]["replayed"], made)
        self.assertEqual(run["calls"]["total"], simulator.total())

    def test_a_second_signal_ends_at_once(self):
        _, _, process = self.begin(20, 4)
        process.send(signal.SIGINT)
        wait_until(lambda: "once more" in "".join(process.err), "the first signal is acknowledged")
        self.assertTrue(process.going(), "calls of many seconds are in flight")
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(10).status, 128 + signal.SIGINT)

    def test_a_hangup_makes_a_node_read_its_configuration_again(self):
        told = self.run_troupe("keygen", "--out", self.folder / "node.key").out.strip()
        client = self.run_troupe("keygen", "--out", self.folder / "client.key").out.strip()
        config = clouds.callers("simulator", simulator=clouds.simulated(0))
        config["node"] = {"id": "n", "state_dir": "state"}
        config["cluster"] = {"listen": "tcp://127.0.0.1:0", "secret_key": "file:node.key", "client_keys": [client]}
        node = self.start("node", "--config", self.write_config("node.yaml", config))
        to = ("--to", node.ready()["address"], "--server-key", told, "--key", self.folder / "client.key")

        def first():
            plan = self.run_troupe("route", "explain", "--feature", "recap", "--json", *to).json()["plan"]
            return plan[0]["endpoint"]

        def reload(expected):
            self.write_config("node.yaml", config)
            node.send(signal.SIGHUP)
            wait_until(lambda: expected in "".join(node.err), expected)

        self.assertEqual(first(), "spare")  # on demand first for batch work (B12)
        config["features"]["recap"]["route"] = {"pools": "reserved_first"}
        reload("was read again")
        wait_until(lambda: first() == "main", "the reserved endpoint leads")
        config["features"]["recap"]["route"] = {"pools": "on_demand_first"}
        config["node"]["park_after"] = "45s"
        reload("a restart is needed for node.park_after")
        del config["node"]["park_after"]
        config["features"]["recap"]["route"] = {"pools": "nonsense"}
        reload("nonsense")
        self.assertEqual(first(), "main", "what cannot be taken over changes nothing")
        self.assert_status(terminate(node), INTERRUPTED)

    def test_a_node_and_a_simulator_stop_when_asked(self):
        simulator = self.simulate(clouds.simulated(0))
        node = self.start("node", "--config", self.write_config("node.yaml", clouds.callers(simulator.url)), "--state",
                          self.folder / "state")
        node.ready()
        for process in (node, simulator.process):
            self.assertEqual(terminate(process).status, INTERRUPTED)


if __name__ == "__main__":
    main()
