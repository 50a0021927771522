"""kill -9 at every named crash point, on both stores, in both workflows; the same command again ends the run as if
nothing had been, and the journal's invariants hold."""
import json
import os
import unittest

import clouds
from postgres import Postgres, find_server
from troupe_process import DONE, SAMPLE, ProcessTest, main, read_json, show

KILLED = -9
RECAP_POINTS = ["run.claimed", "call.before_intent", "call.after_intent", "call.before_result", "call.after_result",
                "journal.before_commit", "journal.after_commit", "run.before_end"]
RESEARCH_POINTS = [*RECAP_POINTS, "tool.before_use", "tool.after_use", "child.before_start", "child.before_end"]
# Of points that are passed often, the first passage and a later one.
OFTEN = {"call.before_intent", "call.after_intent", "call.before_result", "call.after_result", "journal.before_commit",
         "journal.after_commit", "tool.before_use", "tool.after_use"}
LATER = 4

# Made up for this test: two steps from the question to the answer, and something beside it.
CORPUS = [
    {"id": "quay", "title": "Quay Observatory", "text": "The Quay Observatory stands on a cliff. Its founder was Mara Lind. "
                                                       "It opened in 1911."},
    {"id": "lind", "title": "Mara Lind", "text": "Mara Lind was a surveyor. She was born in Ostermouth in 1874."},
    {"id": "pier", "title": "North Pier", "text": "The North Pier was rebuilt by Tomas Hale between 1921 and 1924."},
]
QUESTION = "Where was the founder of the Quay Observatory born?"


class CrashMatrix(ProcessTest):
    durability = "power"

    def config(self, store):
        simulated = clouds.simulated(0.02, alike=True)
        features = {name: {"hierarchy": ["chat"], "class": "batch", "deadline": "2m"} for name in ("recap", "research")}
        return self.write_config("config.yaml", clouds.callers("simulator", 4, alike=True, simulator=simulated,
                                                               features=features, store=store))

    def command(self, workflow, run_id, config):
        given = {"recap": ("--input", SAMPLE, "--set", "chunk_tokens_max=400"),
                 "research": ("--input", self.folder / "corpus.jsonl", "--set", f"question={QUESTION}")}[workflow]
        return ("run", workflow, "--config", config, *given, "--out", self.folder / run_id, "--state",
                self.folder / "state", "--run-id", run_id, "--durability", self.durability, "--quiet")

    def result(self, workflow, run_id):
        made = read_json(self.folder / run_id / f"{workflow}.json")
        if workflow == "research":
            # Who answered first is another matter than what was found.
            made = {key: made[key] for key in ("answer", "found", "claims")}
        return made

    def kill_at(self, point, passage, command):
        os.environ["CRASHPOINT"] = f"{point}:{passage}"
        try:
            return self.run_troupe(*command)
        finally:
            del os.environ["CRASHPOINT"]

    def matrix(self, workflow, store, points):
        self.write("corpus.jsonl", "\n".join(json.dumps(line) for line in CORPUS))
        config = self.config(store)
        self.assert_status(self.run_troupe(*self.command(workflow, "calm", config)), DONE)
        calm, cells = self.result(workflow, "calm"), 0
        for point in points:
            for passage in (1, LATER) if point in OFTEN else (1,):
                with self.subTest(point=point, passage=passage):
                    run_id = f"{point}-{passage}"
                    command = self.command(workflow, run_id, config)
                    self.assertEqual(self.kill_at(point, passage, command).status, KILLED, "the point was passed")
                    self.assert_status(self.run_troupe(*command), DONE)
                    self.assertEqual(self.result(workflow, run_id), calm)
                    self.check_history(run_id, config)
                    cells += 1
        checked = self.run_troupe("runs", "check", "--config", config, "--state", self.folder / "state")
        self.assert_status(checked, DONE)
        show(f"crash_matrix.{store['kind']}.{workflow}.{self.durability}",
             f"{cells} kills, every run ended as if there had been none")

    def check_history(self, run_id, config):
        """No step that was recorded is begun again."""
        told = self.run_troupe("runs", "export", run_id, "--config", config, "--state", self.folder / "state")
        self.assert_status(told, DONE)
        recorded = set()
        self.assertEqual(json.loads(told.out.splitlines()[0])["run"]["durability"], self.durability)
        for entry in map(json.loads, told.out.splitlines()):
            if entry["kind"] in ("intent", "child_start"):
                self.assertNotIn(entry["step"], recorded)
            elif entry["kind"] in ("result", "child_end"):
                self.assertNotIn(entry["step"], recorded, "recorded twice")
                recorded.add(entry["step"])
        self.assertTrue(recorded)

    def test_recap_on_sqlite(self):
        self.matrix("recap", {"kind": "sqlite"}, RECAP_POINTS)

    def test_research_on_sqlite(self):
        self.matrix("research", {"kind": "sqlite"}, RESEARCH_POINTS)

    def on_postgres(self, workflow, points):
        if find_server() is None:
            self.skipTest("NO PostgreSQL server is installed: the crash matrix was not run on it")
        server = Postgres()
        self.addCleanup(server.close)
        self.matrix(workflow, {"kind": "postgres", "url": server.url()}, points)

    def test_recap_on_postgres(self):
        self.on_postgres("recap", RECAP_POINTS)

    def test_recap_that_waits_for_no_disk(self):
        self.durability = "crash"
        self.matrix("recap", {"kind": "sqlite"}, RECAP_POINTS)

    def test_recap_that_waits_for_no_disk_on_postgres(self):
        self.durability = "crash"
        self.on_postgres("recap", RECAP_POINTS)

    def test_research_on_postgres(self):
        self.on_postgres("research", RESEARCH_POINTS)


if __name__ == "__main__":
    main()
