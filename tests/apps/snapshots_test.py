"""Runs that live by snapshots: killed at their commits and compacted, on both stores; and two versions of one
workflow's code on one store, each with its own runs."""
import json
import os
import subprocess

from postgres import Postgres, find_server
from troupe_process import DONE, Process, ProcessTest, main, wait_until

KILLED = -9
POINTS = ("snapshot.before_entry:3", "snapshot.after_entry:3", "journal.before_commit:9", "journal.after_commit:9",
          "journal.before_commit:14", "journal.after_commit:15")
ROUNDS = 6


class Watcher(Process):
    """tests/apps/watcher.cpp: told what to do by lines."""

    def __init__(self, config, version, *more, crash_at=None):
        given = {**os.environ, **({"CRASHPOINT": crash_at} if crash_at else {})}
        popen = subprocess.Popen

        def with_input(arguments, **options):
            options.update(stdin=subprocess.PIPE, env=given)
            return popen([os.environ["TROUPE_WATCHER"], *arguments[1:]], **options)

        subprocess.Popen = with_input
        try:
            super().__init__((config, version, *more), config.parent)
        finally:
            subprocess.Popen = popen

    def say(self, line):
        try:
            self.child.stdin.write(line + "\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass

    def hear(self, seconds=30.0):
        line = self.lines.get(timeout=seconds)
        return line.strip() if line is not None else None

    def ask(self, verb, **given):
        self.say(f"ask {verb} {json.dumps(given)}")
        word, _, told = self.hear().partition(" ")
        assert word == "told", told
        return json.loads(told)


class Snapshots(ProcessTest):
    def config(self, store, node="watch"):
        return self.write_config(f"{node}.yaml", {"node": {"id": node, "state_dir": str(self.folder / "state")},
                                                  "store": store})

    def watcher(self, config, version="1", *more, crash_at=None):
        watcher = Watcher(config, version, *more, crash_at=crash_at)
        self.started.append(watcher)
        self.addCleanup(watcher.child.stdin.close)
        self.assertEqual(watcher.hear(), "ready", "".join(watcher.err))
        return watcher

    def submit(self, watcher, run_id, rounds, pause_ms):
        watcher.say(f"submit {run_id} {rounds} {pause_ms}")
        return watcher.hear()

    def stop(self, watcher):
        watcher.say("stop")
        self.assert_status(watcher.wait(), DONE)

    def runs(self, verb, *more, config):
        return self.run_troupe("runs", verb, *more, "--config", config, "--state", self.folder / "state")

    def shown(self, run_id, config):
        told = self.runs("show", run_id, "--json", config=config)
        return told.json() if told.status == DONE else {}

    def history(self, run_id, config):
        told = self.runs("export", run_id, config=config)
        self.assert_status(told, DONE)
        return [json.loads(line) for line in told.out.splitlines()]

    def ends(self, run_id, config):
        return wait_until(lambda: (lambda told: told if told.get("state") == "done" else None)(
            self.shown(run_id, config)), f"run {run_id} has ended")

    # ---- kills ----

    def kills(self, store):
        config = self.config(store)
        for number, point in enumerate(POINTS):
            with self.subTest(point=point):
                run_id = f"r{number}"
                first = self.watcher(config, crash_at=point)
                self.submit(first, run_id, ROUNDS, 1)
                self.assertEqual(first.wait().status, KILLED, "the point was passed")
                before = self.history(run_id, config)
                if number % 2 == 0:
                    pruned = self.runs("prune", "--before-snapshot", "--run", run_id, config=config)
                    self.assert_status(pruned, DONE)
                    self.assertEqual(self.history(run_id, config)[0]["kind"], "snapshot")
                next_life = self.watcher(config)
                self.assertEqual(self.ends(run_id, config)["output"], f'"{"1" * ROUNDS}"')
                self.stop(next_life)
                self.check_history(before, self.history(run_id, config))
        self.assert_status(self.runs("check", config=config), DONE)

    def check_history(self, before, after):
        """What was recorded when the process died stays, and each round is recorded once."""
        looks = {}
        for entry in [*before, *after]:
            if entry["kind"] == "result":
                looks.setdefault(entry["step"], set()).add(entry["seq"])
        self.assertEqual(sorted(looks), [f"look@{round}" for round in range(1, ROUNDS + 1)])
        self.assertTrue(all(len(seqs) == 1 for seqs in looks.values()), looks)

    def test_killed_and_compacted_on_sqlite(self):
        self.kills({"kind": "sqlite"})

    def test_killed_and_compacted_on_postgres(self):
        self.kills(self.postgres())

    def postgres(self):
        if find_server() is None:
            self.skipTest("NO PostgreSQL server is installed: this was not tried on it")
        server = Postgres()
        self.addCleanup(server.close)
        return {"kind": "postgres", "url": server.url()}

    # ---- two versions (M14) ----

    def test_each_version_goes_on_with_its_own_runs(self):
        store = self.postgres()
        old_config, new_config = self.config(store, "old"), self.config(store, "new")
        old = self.watcher(old_config, "1")
        self.assertEqual(self.submit(old, "before", 20, 20), "begun before")
        self.assertEqual(self.submit(old, "long", 100000, 20), "begun long")
        new = self.watcher(new_config, "2")
        self.assertEqual(self.submit(new, "after", 5, 1), "begun after")
        self.assertEqual(self.ends("after", new_config)["output"], '"22222"')
        self.assertEqual(self.ends("before", new_config)["output"], f'"{"1" * 20}"')
        # The old node drains, and its long run waits: nobody else has its code.
        self.stop(old)
        waits = wait_until(lambda: [run for run in new.ask("runs.list") if run.get("waits")], "it is said that it waits")
        self.assertEqual([run["run_id"] for run in waits], ["long"])
        self.assertIn("version '1'", waits[0]["waits"])
        epochs = {entry["epoch"] for entry in self.history("long", new_config)}
        self.assertEqual(epochs, {1}, "nobody has touched it")
        # Another node of the old version takes it up.
        again = self.watcher(self.config(store, "old_again"), "1")
        wait_until(lambda: self.history("long", new_config)[-1]["epoch"] > 1, "it goes on")
        wait_until(lambda: not [run for run in new.ask("runs.list") if run.get("waits")], "it waits no longer")
        self.stop(again)
        # And then one whose code can read what version 1 wrote.
        self.stop(new)
        heir = self.watcher(self.config(store, "heir"), "2", "upgrades")
        done_by_2 = lambda: [each for each in self.history("long", new_config)
                             if each["kind"] == "snapshot" and each["version"] == "2"]
        snapshot = wait_until(done_by_2, "it is upgraded")[-1]
        self.assertRegex(snapshot["state"]["rounds_by"], "^1+2*$")
        self.assertIn("version_mark", [each["kind"] for each in self.history("long", new_config)])
        # From now on it is of version 2 only.
        self.stop(heir)
        last = self.watcher(self.config(store, "old_last"), "1")
        wait_until(lambda: [run for run in last.ask("runs.list") if "version '2'" in run.get("waits", "")], "it waits")
        self.stop(last)
        self.assert_status(self.runs("check", config=new_config), DONE)


if __name__ == "__main__":
    main()
