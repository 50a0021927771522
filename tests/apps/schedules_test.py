"""Runs that begin by the clock: one for each slot, whatever is killed, and on however many nodes the schedule stands."""
import json
import os
import unittest

from postgres import Postgres, find_server
from troupe_process import BAD_INPUT, BAD_CONFIG, DONE, INPUT_MISSING, ROOT, USAGE, ProcessTest, main, wait_until

KILLED = -9
# Waits for a word, so that a run can be met half-way.
FLOW = """workflow: note
inputs: {day: {}, who: {}}
steps:
  - {id: word, signal: word}
  - {id: text, value: "{{inputs.who}} {{inputs.day}} {{steps.word}}"}
"""
YEARLY = {"workflow": "note", "cron": "@yearly", "input": {"day": "{{date}}", "who": "{{tenant}}"}}


class Scheduled(ProcessTest):
    def config(self, node="n", schedules=None, **sections):
        self.write("flows/note.yaml", FLOW)
        return self.write_config(f"{node}.yaml", {
            "node": {"id": node, "state_dir": str(self.folder / node)}, "workflows": ["flows/note.yaml"],
            "schedules": schedules or {"yearly": YEARLY}, **sections})

    def begin(self, config):
        node = self.start("node", "--config", config)
        node.ready()
        return node

    def state_of(self, config):
        return "--config", config, "--state", json.loads(config.read_text())["node"]["state_dir"]

    def runs(self, config):
        told = self.run_troupe("runs", "list", "--json", *self.state_of(config))
        return {run["run_id"]: run["state"] for run in told.json()} if told.status == DONE else {}

    def entries(self, config, run_id):
        told = self.run_troupe("runs", "export", run_id, *self.state_of(config))
        return [json.loads(line) for line in told.out.splitlines()] if told.status == DONE else []

    def slot(self, config):
        """The newest slot's run, as the command line says before there is one."""
        told = self.run_troupe("schedules", "list", "--json", "--config", config)
        self.assert_status(told, DONE)
        return told.json()[0]["last"]["run_id"]

    def starts(self, config, run_id):
        return [entry["kind"] for entry in self.entries(config, run_id)].count("start")

    def end(self, config, run_id):
        self.assert_status(self.run_troupe("runs", "signal", run_id, "word", '"well"', *self.state_of(config)), DONE)
        wait_until(lambda: self.runs(config).get(run_id) == "done", "the run has ended")


class OneNode(Scheduled):
    def test_the_slot_runs_once_over_kills(self):
        config = self.config()
        run_id = self.slot(config)
        self.assertRegex(run_id, r"^yearly/default@\d{4}-01-01T00:00Z$")
        node = self.begin(config)
        wait_until(lambda: self.starts(config, run_id) == 1, "the last slot's run has begun")
        node.kill()
        node = self.begin(config)
        self.end(config, run_id)
        node.kill()
        self.begin(config)
        told = self.run_troupe("schedules", "list", "--json", "--config", config).json()[0]
        self.assertEqual((told["last"]["run_id"], told["last"]["state"]), (run_id, "done"))
        self.assertEqual(self.runs(config), {run_id: "done"})
        self.assertEqual(self.starts(config, run_id), 1)
        shown = self.run_troupe("runs", "show", run_id, *self.state_of(config)).json()
        year = run_id[len("yearly/default@"):][:4]
        self.assertEqual(json.loads(shown["output"]), f"default {year}-01-01 well")

    def test_a_crash_around_the_submission_loses_no_slot_and_doubles_none(self):
        for point in ("schedule.before_submit", "schedule.after_submit", "run.claimed"):
            with self.subTest(point=point):
                config = self.config(point)
                os.environ["CRASHPOINT"] = f"{point}:1"
                try:
                    node = self.start("node", "--config", config)
                finally:
                    del os.environ["CRASHPOINT"]
                self.assertEqual(node.wait().status, KILLED, "the point was passed")
                node = self.begin(config)
                run_id = self.slot(config)
                wait_until(lambda: self.starts(config, run_id) == 1, "the slot's run has begun")
                self.end(config, run_id)
                self.assertEqual(list(self.runs(config)), [run_id])
                self.assertEqual(self.starts(config, run_id), 1)
                node.kill()

    def test_a_node_runs_a_workflow_file_that_is_submitted(self):
        client = self.run_troupe("keygen", "--out", self.folder / "client.key").out.strip()
        server = self.run_troupe("keygen", "--out", self.folder / "node.key").out.strip()
        config = self.config(cluster={"listen": "tcp://127.0.0.1:0", "secret_key": "file:node.key",
                                      "client_keys": [client]})
        node = self.start("node", "--config", config)
        to = ("--to", node.ready()["address"], "--server-key", server, "--key", self.folder / "client.key")
        submitted = self.run_troupe("submit", self.folder / "flows" / "note.yaml", "--set", "day=today", "--set",
                                    "who=ann", "--run-id", "mine", *to)
        self.assert_status(submitted, DONE)
        self.assert_status(self.run_troupe("runs", "signal", "mine", "word", '"hi"', *to), DONE)
        wait_until(lambda: self.run_troupe("runs", "show", "mine", *to).json()["state"] == "done", "it has ended")
        again = self.run_troupe("submit", self.folder / "flows" / "note.yaml", "--set", "day=tomorrow", "--set", "who=ann",
                                "--run-id", "mine", "--wait", *to)
        self.assert_status(again, DONE)
        self.assertIn("began with another input", again.err)
        other = self.run_troupe("submit", "summary", "--input", config, "--run-id", "mine", "--wait", *to)
        self.assert_refused(other, BAD_INPUT, "mine")
        told = self.run_troupe("schedules", "list", "--json", *to)
        self.assertEqual([each["schedule"] for each in told.json()], ["yearly"])


class Paused(Scheduled):
    def asked(self, schedules):
        """A node that can be asked, and the words that ask it."""
        if not (self.folder / "client.key").exists():
            self.client = self.run_troupe("keygen", "--out", self.folder / "client.key").out.strip()
            self.server = self.run_troupe("keygen", "--out", self.folder / "node.key").out.strip()
        self.at = self.config(schedules=schedules, cluster={
            "listen": "tcp://127.0.0.1:0", "secret_key": "file:node.key", "client_keys": [self.client]})
        node = self.start("node", "--config", self.at)
        return node, ("--to", node.ready()["address"], "--server-key", self.server, "--key", self.folder / "client.key")

    def standing(self, *where):
        told = self.run_troupe("schedules", "list", "--json", *where)
        self.assert_status(told, DONE)
        return {each["schedule"]: each["paused"] for each in told.json()}

    def test_a_pause_holds_over_a_kill_until_it_is_undone(self):
        calm = {**YEARLY, "catch_up": "none"}
        node, to = self.asked({"yearly": calm, "zother": calm})
        told = self.run_troupe("schedules", "pause", "yearly", "--why", "the figures are late", *to)
        self.assert_status(told, DONE)
        self.assertIn("paused", told.out)
        node.kill()
        # The newest slot of both would run now; that the later one's does says that the first was looked at.
        node, to = self.asked({"yearly": YEARLY, "zother": YEARLY})
        wait_until(lambda: self.runs(self.at), "the other schedule's slot has begun")
        self.assertEqual([run_id.split("/")[0] for run_id in self.runs(self.at)], ["zother"])
        self.assertEqual(self.standing(*to), {"yearly": True, "zother": False})
        self.assertEqual(self.standing(*self.state_of(self.at)), {"yearly": True, "zother": False}, "without a node")
        self.assert_status(self.run_troupe("schedules", "resume", "yearly", *to), DONE)
        wait_until(lambda: len(self.runs(self.at)) == 2, "its newest slot has begun")
        self.assertEqual(self.standing(*to), {"yearly": False, "zother": False})
        audit = self.run_troupe("control", "audit", "--json", *to).json()
        self.assertEqual([(each["kind"], each["subject"]) for each in audit], [("stop", "schedule yearly"), ("start", "schedule yearly")])
        self.assertEqual(audit[0]["why"], "the figures are late")
        self.assert_refused(self.run_troupe("schedules", "pause", "yerly", *to), INPUT_MISSING, "yerly")


class Forgetting(Scheduled):
    def test_a_node_forgets_by_itself_what_ended_long_ago_but_each_schedules_newest(self):
        config = self.config()
        run_id = self.slot(config)
        node = self.begin(config)
        wait_until(lambda: self.starts(config, run_id) == 1, "the slot's run has begun")
        self.end(config, run_id)
        node.kill()
        for name in ("one", "two"):
            self.assert_status(self.run_troupe("run", ROOT / "examples" / "declared" / "brief.yaml", "--set",
                                               f"topics={ROOT / 'examples' / 'declared' / 'topics.txt'}", "--out",
                                               self.folder / name, "--run-id", name, "--quiet", "--state", self.folder / "n"),
                               DONE)
        self.assertEqual(set(self.runs(config)), {run_id, "one", "two"})
        values = json.loads(config.read_text())
        values["node"]["retention"] = "10ms"
        self.begin(self.write_config("forgets.yaml", values))
        wait_until(lambda: set(self.runs(config)) == {run_id}, "it has forgotten them")
        self.assert_status(self.run_troupe("runs", "check", *self.state_of(config)), DONE)


class Told(Scheduled):
    def test_a_night_for_each_tenant_in_its_own_zone(self):
        if not os.path.exists("/usr/share/zoneinfo/Europe/Berlin"):
            self.skipTest("NO zoneinfo is installed (package tzdata)")
        config = self.config(
            tenants={"acme": {"zone": "Asia/Tokyo"}, "beta": {"zone": "Europe/Berlin"}},
            schedules={"nightly": {**YEARLY, "cron": "0 4 * * *", "tenants": ["*"]},
                       "off": {**YEARLY, "paused": True}})
        told = self.run_troupe("schedules", "list", "--config", config, "--at", "2026-03-28T12:00Z")
        self.assert_status(told, DONE)
        rows = [line.split() for line in told.out.splitlines()]
        self.assertEqual(len(rows), 4)
        self.assertIn("2026-03-29 04:00 +09:00", told.out)
        self.assertIn("2026-03-29 04:00 +02:00", told.out)  # the clocks went forward in that night
        self.assertIn("2026-03-29 02:00 UTC", told.out)
        self.assertIn("paused", told.out)
        following = self.run_troupe("schedules", "next", "nightly", "--tenant", "beta", "--count", 3, "--json", "--config",
                                    config, "--at", "2026-03-27T12:00Z")
        self.assertEqual([slot["slot"] for slot in following.json()[0]["next"]],
                         ["2026-03-28T03:00Z", "2026-03-29T02:00Z", "2026-03-30T02:00Z"])
        self.assertEqual(following.json()[0]["next"][0]["run_id"], "nightly/beta@2026-03-28T03:00Z")

    def test_the_example_is_sound(self):
        if not os.path.exists("/usr/share/zoneinfo/Europe/Berlin"):
            self.skipTest("NO zoneinfo is installed (package tzdata)")
        example = ROOT / "configs" / "nightly.yaml"
        self.assert_status(self.run_troupe("check", example), DONE)
        told = self.run_troupe("schedules", "list", "--json", "--config", example, "--state", self.folder / "none").json()
        self.assertEqual({each["tenant"] for each in told if each["schedule"] == "nightly-recap"}, {"acme", "globex"})

    def test_mistakes_are_named(self):
        good = self.config()
        unknown = self.run_troupe("schedules", "next", "yerly", "--config", good)
        self.assertEqual(unknown.status, INPUT_MISSING)
        self.assertIn('did you mean "yearly"', unknown.err)
        self.assertEqual(self.run_troupe("schedules", "list", "--config", good, "--at", "soon").status, USAGE)
        for schedules, words in (({"s": {**YEARLY, "workflow": "notte"}}, ('workflow "notte"', 'did you mean "note"')),
                                 ({"s": {**YEARLY, "cron": "61 * * * *"}}, ("schedules.s.cron", "minute"))):
            bad = self.config("bad", schedules)
            for command in (("check", bad), ("node", "--config", bad), ("schedules", "list", "--config", bad)):
                with self.subTest(command=command[0]):
                    ended = self.run_troupe(*command)
                    self.assert_status(ended, BAD_CONFIG)
                    for word in words:
                        self.assertIn(word, ended.err)
                    self.assertIn("bad.yaml:", ended.err)


@unittest.skipIf(find_server() is None, "NO PostgreSQL server is installed: schedules on two nodes were not tested")
class TwoNodes(Scheduled):
    def setUp(self):
        super().setUp()
        self.server = Postgres()
        self.addCleanup(self.server.close)
        self.addCleanup(self._end_all)

    def test_one_run_on_two_nodes_and_the_other_ends_what_one_began(self):
        store = {"kind": "postgres", "url": self.server.url()}
        tenants = {f"t{i}": {} for i in range(20)}
        schedules = {"yearly": {**YEARLY, "tenants": ["*"]}}
        configs = {node: self.config(node, schedules, store=store, tenants=tenants) for node in ("a", "b")}
        a, b = self.begin(configs["a"]), self.begin(configs["b"])
        at_a = configs["a"]
        wait_until(lambda: len(self.runs(at_a)) == 20, "every tenant's run has begun")
        run_ids = sorted(self.runs(at_a))
        holders = {run_id: self.run_troupe("runs", "show", run_id, *self.state_of(at_a)).json()["node"] for run_id in run_ids}
        first = {"a": a, "b": b}[holders[run_ids[0]]]
        survivor = "b" if first is a else "a"
        # A signal reaches its run whichever node has it, and one for a run whose node has just died too.
        self.end(at_a, run_ids[-1])
        first.kill()
        for run_id in run_ids[:-1]:
            self.assert_status(self.run_troupe("runs", "signal", run_id, "word", '"well"', *self.state_of(at_a)), DONE)
        wait_until(lambda: set(self.runs(at_a).values()) == {"done"}, f"{survivor} has ended them all", seconds=60)
        self.assertEqual(sorted(self.runs(at_a)), run_ids, "no second run of any slot")
        for run_id in run_ids:
            kinds = [entry["kind"] for entry in self.entries(at_a, run_id)]
            self.assertEqual((kinds.count("start"), kinds.count("signal_in"), kinds.count("done")), (1, 1, 1))
        checked = self.run_troupe("runs", "check", *self.state_of(at_a))
        self.assert_status(checked, DONE)


if __name__ == "__main__":
    main()
