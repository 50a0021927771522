"""What a run's record survives, as it is asked for and told: on the command line, in a workflow's file, in the
configuration; and a run whose commits do not wait for the disk ends after kill -9 like any other."""
import json
import os

import clouds
from troupe_process import BAD_CONFIG, DONE, USAGE, ProcessTest, main

FLOW = """
workflow: three
durability: crash
steps:
  - {id: one, value: "1"}
  - {id: two, sleep: 1ms}
  - {id: part, run: {workflow: recap, input: {input: nowhere}}, on_error: skip}
"""


class Durability(ProcessTest):
    def command(self, run_id, *options, flow=FLOW, **store):
        simulated = clouds.simulated(0)
        config = self.write_config("config.yaml", clouds.callers("simulator", simulator=simulated, store=store,
                                                                 features={"recap": {"hierarchy": ["chat"]}}))
        return ("run", self.write("three.yaml", flow), "--config", config, "--out", self.folder / run_id, "--state",
                self.folder / "state", "--run-id", run_id, "--quiet", *options)

    def told(self, verb, run_id):
        told = self.run_troupe("runs", verb, run_id, "--config", self.folder / "config.yaml", "--state",
                               self.folder / "state")
        self.assert_status(told, DONE)
        return told.out

    def recorded(self, run_id, *options, **more):
        self.assert_status(self.run_troupe(*self.command(run_id, *options, **more)), DONE)
        return json.loads(self.told("show", run_id))["durability"]

    def test_who_chooses(self):
        unsaid = FLOW.replace("durability: crash", "")
        self.assertEqual(self.recorded("file"), "crash")
        self.assertEqual(self.recorded("asked", "--durability", "power"), "power")
        self.assertEqual(self.recorded("nobody", flow=unsaid), "power")
        self.assertEqual(self.recorded("configured", flow=unsaid, durability={"three": "crash"}), "crash")
        self.assertEqual(self.recorded("never", flow=unsaid, power_safe=False), "crash")
        listed = json.loads(self.run_troupe("runs", "list", "--json", "--state", self.folder / "state").out)
        children = [run for run in listed if run["run_id"].startswith("file.")]
        self.assertEqual([run["durability"] for run in children], ["crash"], "a child has its parent's")

    def test_a_killed_run_keeps_its_class_and_verifies(self):
        command = self.command("killed")
        os.environ["CRASHPOINT"] = "run.before_end:2"
        try:
            self.assertEqual(self.run_troupe(*command).status, -9)
        finally:
            del os.environ["CRASHPOINT"]
        self.assert_status(self.run_troupe(*command, "--durability", "power"), DONE)
        lines = self.told("export", "killed")
        self.assertEqual(json.loads(lines.splitlines()[0])["run"]["durability"], "crash")
        history = self.write("history.jsonl", lines)
        self.assert_status(self.run_troupe("runs", "verify", history, "--workflow", self.folder / "three.yaml"), DONE)

    def test_what_cannot_be_had_is_refused(self):
        none = self.run_troupe(*self.command("none", "--durability", "none"))
        self.assert_status(none, USAGE)
        self.assertIn("choose power or crash", none.err)
        self.assert_status(self.run_troupe(*self.command("typo", "--durability", "powr")), USAGE)
        self.assertIn("power_safe: false", self.run_troupe(
            *self.command("asked", "--durability", "power", power_safe=False)).err)
        self.assert_status(self.run_troupe(*self.command("bad", durability={"three": "none"})), BAD_CONFIG)
        self.assert_status(self.run_troupe(*self.command("both", power_safe=False, durability={"three": "power"})),
                           BAD_CONFIG)
        self.assert_status(self.run_troupe(*self.command("flow", flow=FLOW.replace("crash", "none"))), BAD_CONFIG)


if __name__ == "__main__":
    main()
