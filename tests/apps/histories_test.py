"""Histories of our own examples, kept in tests/golden/histories: this build makes every one of them again, offline, and
tells when it would decide otherwise. And forgetting runs that ended long ago."""
import json

from troupe_process import BAD_INPUT, DONE, INPUT_MISSING, OUR_BUG, ROOT, SAMPLE, USAGE, ProcessTest, main, show

CORPUS = ROOT / "tests" / "golden" / "histories"
DECLARED = ROOT / "examples" / "declared"
CODE = ("--workflow", DECLARED / "brief.yaml", "--workflow", DECLARED / "approval.yaml", "--input", SAMPLE)


def histories():
    return sorted(path for path in CORPUS.glob("*.jsonl") if path.name != "corpus.jsonl")


class Histories(ProcessTest):
    def verify(self, path, *options):
        return self.run_troupe("runs", "verify", path, "--json", *(options or CODE))

    def test_every_kept_history_is_made_again(self):
        self.assertGreaterEqual(len(histories()), 8)
        for path in histories():
            with self.subTest(history=path.name):
                told = self.verify(path)
                self.assert_status(told, DONE)
                for run in told.json():
                    self.assertEqual(run["drift"], [])
                    self.assertGreater(run["entries"], 1)
                    show(f"histories.{path.stem}.{run['workflow']}", run["entries"], f"entries, {run['lives']} lives")

    def test_a_child_is_kept_with_its_parent(self):
        workflows = [run["workflow"] for run in self.verify(CORPUS / "research.jsonl").json()]
        self.assertEqual(workflows[0], "research")
        self.assertIn("research.agent", workflows[1:])

    def test_a_step_that_was_changed_is_named(self):
        for old, new, step in (("What is there to say", "Say something", "notes/"),
                               ("parallel: 4", "parallel: 1", "notes/"),
                               ("- id: digest", "- id: paragraph", "digest")):
            with self.subTest(change=new):
                text = (DECLARED / "brief.yaml").read_text(encoding="utf-8").replace(old, new)
                edited = self.write("edited.yaml", text.replace("steps.digest", "steps.paragraph")
                                    if "paragraph" in new else text)
                told = self.verify(CORPUS / "brief.jsonl", "--workflow", edited)
                self.assert_status(told, BAD_INPUT)
                drift = told.json()[0]["drift"]
                self.assertTrue(drift)
                self.assertTrue(any(step in each["step"] + each["recorded"] + each["now"] for each in drift), drift)

    def test_a_history_that_was_changed_is_found(self):
        lines = (CORPUS / "recap.jsonl").read_text(encoding="utf-8").splitlines()
        at = next(i for i, line in enumerate(lines) if json.loads(line)["kind"] == "intent")
        entry = json.loads(lines[at])
        entry["step"] = "map/another"
        forged = self.write("forged.jsonl", "\n".join([*lines[:at], json.dumps(entry), *lines[at + 1:]]))
        told = self.verify(forged)
        self.assert_status(told, BAD_INPUT)
        self.assertIn("map/another", told.json()[0]["drift"][0]["recorded"])

    def test_what_cannot_be_verified_says_why(self):
        self.assert_refused(self.run_troupe("runs", "verify", CORPUS / "brief.jsonl"), INPUT_MISSING, "--workflow")
        self.assert_refused(self.run_troupe("runs", "verify", "nowhere.jsonl"), INPUT_MISSING, "nowhere")
        self.assert_refused(self.run_troupe("runs", "verify", self.write("x.jsonl", "{}")), BAD_INPUT, "line 1")

    def test_a_run_of_now_is_made_again_and_one_that_ended_long_ago_forgotten(self):
        self.assert_status(self.run_troupe("run", "recap", "--input", SAMPLE, "--out", "out", "--run-id", "mine",
                                           "--set", "channels=incidents"), DONE)
        told = self.run_troupe("runs", "export", "mine", "--verify-replay")
        self.assert_status(told, DONE)
        self.assertIn("no drift", told.out)
        self.assert_status(self.run_troupe("runs", "check"), DONE)
        spent = self.run_troupe("cost", "--by", "run", "--json").json()
        self.assert_refused(self.run_troupe("runs", "prune", "--older", "soon"), USAGE, "--older")
        self.assertIn("0 runs", self.run_troupe("runs", "prune", "--older", "1d").out)
        self.assertEqual(len(self.run_troupe("runs", "list", "--json").json()), 1)
        self.assertIn("1 runs", self.run_troupe("runs", "prune", "--older", "0.001s").out)
        self.assertEqual(self.run_troupe("runs", "list", "--json").json(), [])
        self.assertEqual(self.run_troupe("cost", "--by", "run", "--json").json(), spent, "what was paid stays known")
        self.assertNotEqual(self.run_troupe("runs", "check").status, OUR_BUG)


if __name__ == "__main__":
    main()
