"""What a newcomer meets: help, check, version, and the demo without any key."""
import html.parser
import json

from troupe_process import BAD_CONFIG, BAD_INPUT, DONE, INPUT_MISSING, ROOT, SAMPLE, USAGE, ProcessTest, main, read_json, show

VERBS = {
    ("run",): ("--input", "--out", "--config", "--set", "--run-id", "--state", "--durability", "--quiet", "--json"),
    ("node",): ("--config", "--id", "--region"),
    ("submit",): ("--to", "--input", "--wait", "--out", "--run-id", "--durability"),
    ("runs",): ("list", "show", "cancel", "signal", "export", "verify", "prune"),
    ("runs", "list"): ("--to", "--state", "--json"),
    ("runs", "show"): ("id", "--json"),
    ("runs", "cancel"): ("id", "--wait", "--json"),
    ("runs", "signal"): ("id", "name", "json", "--message-id"),
    ("runs", "export"): ("id", "--tree", "--verify-replay"),
    ("runs", "verify"): ("file", "--workflow"),
    ("runs", "prune"): ("--older",),
    ("schedules",): ("list", "next", "pause", "resume"),
    ("schedules", "pause"): ("name", "--why", "--to"),
    ("schedules", "resume"): ("name", "--why", "--to"),
    ("schedules", "list"): ("--config", "--at", "--to", "--json"),
    ("schedules", "next"): ("name", "--count", "--tenant"),
    ("simulate",): ("--config", "--listen"),
    ("endpoints",): ("--to", "--json"),
    ("route", "explain"): ("--feature", "--request"),
    ("route", "match"): ("answers", "--config", "--usd-max", "--format"),
    ("cost",): ("--by", "--since", "--format"),
    ("cost", "reconcile"): ("--bill",),
    ("cost", "budgets"): (),
    ("cost", "plan"): ("endpoint",),
    ("check",): ("file",),
    ("keygen",): ("--out",),
    ("version",): (),
}
# Elements that HTML leaves open.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class WellFormed(html.parser.HTMLParser):
    """Every element that opens is closed, in order; collects ids and what would load from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.ids, self.loads = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.loads += [values[key] for key in ("src", "data") if key in values]
        self.loads += [values.get("href")] if tag == "link" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for key, value in attrs if key == "id"]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


class Surface(ProcessTest):
    def test_every_verb_explains_itself(self):
        for verb, names in VERBS.items():
            with self.subTest(verb=verb):
                ended = self.run_troupe(*verb, "--help")
                self.assert_status(ended, DONE)
                self.assertEqual(ended.err, "")
                for name in names:
                    self.assertIn(name, ended.out)
        everything = self.run_troupe("help")
        self.assert_status(everything, DONE)
        for verb in VERBS:
            self.assertIn(verb[0], everything.out)

    def test_check_and_version_and_keygen_print_data_only(self):
        for name in ("demo.yaml", "reference.yaml"):
            ended = self.run_troupe("check", ROOT / "configs" / name)
            self.assert_status(ended, DONE)
            self.assertIn(name, ended.out)
            # The reference names a database and a corpus that nobody has.
            unexpected = [line for line in ended.err.splitlines() if "warning" not in line or "/example" not in line]
            self.assertEqual(unexpected, [])
        self.assert_refused(self.run_troupe("check", self.write("bad.yaml", "nodes: {}\n")), BAD_CONFIG, "bad.yaml:1", "nodes")
        self.assertIn("troupe 0.", self.run_troupe("version").out)
        keys = self.run_troupe("keygen").json()
        self.assertEqual((len(keys["public_key"]), len(keys["secret_key"])), (40, 40))
        public = self.run_troupe("keygen", "--out", "node.key").out.strip()
        self.assertEqual(len(public), 40)
        self.assertEqual((self.folder / "node.key").stat().st_mode & 0o777, 0o600)

    def test_the_demo_needs_no_key_and_leaves_a_page_to_forward(self):
        ended = self.run_troupe("run", "recap", "--input", SAMPLE, "--out", "out")
        self.assert_status(ended, DONE)
        show("surface.demo", f"{ended.seconds:.1f}", "s")
        files = ["recap.md", "report.html", "recap.json", "run.json"]
        self.assertEqual(ended.out.split(), [f"out/{name}" for name in files])
        recap = read_json(self.folder / "out" / "recap.json")
        page = (self.folder / "out" / "report.html").read_text(encoding="utf-8")
        read = WellFormed(page)
        self.assertEqual((read.open, read.wrong), ([], []))
        self.assertEqual([url for url in read.loads if url and not url.startswith("data:")], [], "it works offline")
        self.assertLessEqual({"digest", "channels"}, set(read.ids))
        self.assertEqual(len(read.ids), len(set(read.ids)))
        notes = (self.folder / "out" / "recap.md").read_text(encoding="utf-8")
        for channel in recap["channels"]:
            self.assertIn("#" + channel["name"], page)
            self.assertIn(channel["name"], notes)

    def test_explains_routes_without_a_node(self):
        plan = self.run_troupe("route", "explain", "--feature", "recap", "--json").json()
        self.assertEqual(plan["plan"][0]["endpoint"], "bedrock-east-reserved")
        self.assertTrue(all(each["reason"] for each in plan["plan"] + plan["passed_over"]))
        large = self.write("large.json", '{"input_tokens": 5000000}')
        refused = self.run_troupe("route", "explain", "--feature", "recap", "--request", large, "--json").json()
        self.assertEqual(refused["plan"], [])
        self.assertIn("ENDPOINT", self.run_troupe("route", "explain").out)
        self.assert_refused(self.run_troupe("route", "explain", "--feature", "nope"), INPUT_MISSING, "nope")
        for text in ("[1, 2]", "5", '{"input_tokens": "many"}', '{"inputtokens": 5}', '{"input_tokens": -5}'):
            wrong = self.run_troupe("route", "explain", "--request", self.write("wrong.json", text))
            self.assert_refused(wrong, BAD_INPUT, "wrong.json")

    def test_destroys_nothing_by_mistake(self):
        key = self.folder / "node.key"
        self.assert_status(self.run_troupe("keygen", "--out", key), DONE)
        before = key.read_bytes()
        self.assert_refused(self.run_troupe("keygen", "--out", key), BAD_INPUT, "node.key")
        self.assertEqual(key.read_bytes(), before)
        pruned = self.run_troupe("runs", "prune", "--older", "1s", "--run", "one")
        self.assert_refused(pruned, USAGE, "--run")

    def test_matches_models_to_features(self):  # D4
        lines = [{"feature": feature, "model": model, "question": str(i), "score": int(i < right),
                  "input_tokens": 1000, "output_tokens": 100}
                 for feature, model, right in (("recap", "llama-8b", 20), ("recap", "llama-70b", 38),
                                               ("search", "llama-8b", 39), ("search", "llama-70b", 39))
                 for i in range(40)]
        answers = self.write("answers.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        demo = str(ROOT / "configs" / "demo.yaml")
        table = self.run_troupe("route", "match", answers, "--config", demo).out.splitlines()
        leads = [row.split()[:2] for row in table if "leads" in row]
        self.assertEqual(leads, [["recap", "llama-70b"], ["search", "llama-8b"]], "the better; of equals the cheaper")
        within = self.run_troupe("route", "match", answers, "--config", demo, "--usd-max", "0.0003", "--format", "json")
        self.assertEqual([each["leader"] for each in within.json()], ["llama-8b", "llama-8b"])
        scores = self.run_troupe("route", "match", answers, "--format", "yaml", "--expires", "2099-01-01").out
        self.assertIn('- {model: "llama-70b", lower: 0.83', scores)
        bad = self.write("bad.jsonl", '{"feature": "recap", "model": "m", "question": "q", "score": 2}\n')
        self.assert_refused(self.run_troupe("route", "match", bad), BAD_INPUT, "bad.jsonl:1")
        good = json.dumps(lines[0])
        for key in ("usd", "seconds", "input_tokens", "output_tokens"):
            for amount in ("-1", '"free"'):
                bad.write_text(f'{good}\n{good[:-1]}, "{key}": {amount}}}\n', encoding="utf-8")
                self.assert_refused(self.run_troupe("route", "match", bad), BAD_INPUT, "bad.jsonl:2", key)

    def test_prices_an_answer_where_it_is_cheapest(self):
        demo = (ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8")
        listed = "llama-3-70b: {input: 0.9, output: 0.9}"
        self.assertIn(listed, demo)
        # Cheap to write, dear to read: which endpoint is cheaper depends on the answer.
        config = self.write("troupe.yaml", demo.replace(listed, "llama-3-70b: {input: 5, output: 0.1}"))
        asked = [{"feature": str(given), "model": "llama-70b", "question": "q", "score": 1, "input_tokens": given,
                  "output_tokens": made} for given, made in ((1000, 100), (10, 1000))]
        answers = self.write("answers.jsonl", "".join(json.dumps(line) + "\n" for line in asked))
        told = self.run_troupe("route", "match", answers, "--config", config, "--format", "json").json()
        usd = {each["feature"]: each["models"][0]["usd"] for each in told}
        self.assertAlmostEqual(usd["1000"], 1100 * 0.72e-6, places=9)
        self.assertAlmostEqual(usd["10"], (10 * 5 + 1000 * 0.1) / 1e6, places=9)

    def test_shows_of_a_summary_only_what_its_sources_still_say(self):  # J5
        said = [{"id": f"m{i}", "who": "ann", "text": f"The {what} of the north lighthouse was repaired on day {i}."}
                for i, what in enumerate(("lamp", "mast", "stair", "horn"))]
        talk = self.write("talk.jsonl", "".join(json.dumps(line) + "\n" for line in said))

        def run(out):
            self.assert_status(self.run_troupe("run", "summary", "--input", talk, "--run-id", "talk", "--out", out,
                                               "--quiet"), DONE)
            return read_json(self.folder / out / "summary.json")

        first = run("first")
        cited = first["cited"][0]["id"]
        talk.write_text("".join(json.dumps(line) + "\n" for line in said if line["id"] != cited), encoding="utf-8")
        gone = next(line["text"] for line in said if line["id"] == cited)
        self.assertIn(gone, json.dumps(first))
        again = run("again")
        shown = self.run_troupe("runs", "show", "talk", "--json").json()
        for told in (json.dumps(again), shown["output"]):
            self.assertNotIn(gone, told)
            self.assertIn("withdrawn", told)
        self.assertEqual(len(again["points"]), len(first["points"]) - again["withdrawn"])

    def test_asked_for_json_prints_nothing_else(self):
        ended = self.run_troupe("run", "recap", "--input", SAMPLE, "--out", "out", "--json", "--quiet")
        self.assert_status(ended, DONE)
        self.assertEqual(ended.json(), read_json(self.folder / "out" / "run.json"))
        self.assertEqual(ended.err, "")
        runs = self.run_troupe("runs", "list", "--json").json()
        self.assertEqual([run["state"] for run in runs], ["done"])
        self.assertTrue(self.run_troupe("endpoints", "--json").json())
        for by in ("feature", "tenant", "model", "endpoint", "cause", "run"):
            total = sum(row["cost_usd"] for row in self.run_troupe("cost", "--by", by, "--json").json())
            self.assertAlmostEqual(total, ended.json()["cost_usd"], places=9)
        lines = self.run_troupe("cost", "--format", "csv").out.splitlines()
        self.assertEqual(lines[0].split(",")[0], "feature")
        self.assertIn("BilledCost", self.run_troupe("cost", "--format", "focus").out)
        history = self.run_troupe("runs", "export", runs[0]["run_id"]).out.splitlines()
        self.assertEqual([json.loads(line)["seq"] for line in history], list(range(1, len(history) + 1)))


if __name__ == "__main__":
    main()
