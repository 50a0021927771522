"""Tools of the configuration: listed with their schemas, used by research, and missed without harm when they are gone."""
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from troupe_process import BAD_CONFIG, BAD_INPUT, DONE, INPUT_MISSING, NO_ENDPOINT, ROOT, USAGE, ProcessTest, main, program
from troupe_process import read_json, show

QUESTION = "In which year was the designer of Skerry Light born?"
PAGES = [{"doc": "skerry", "title": "Skerry Light",
          "text": "Skerry Light is a lighthouse. It was designed by the engineer Aline Moor."},
         {"doc": "moor", "title": "Aline Moor", "text": "Aline Moor was an engineer. She was born in Port Varr in 1871."},
         {"doc": "fog", "title": "Fog", "text": "Fog signals were fired by hand until horns replaced them."}]

# Speaks the protocol as far as we need it: a search over PAGES that may die of being used.
SERVER = """
import json, os, sys
pages = json.loads(os.environ["PAGES"])
def hits(query):
    words = {w.strip(".,?!").lower() for w in query.split() if len(w) > 3}
    for page in pages:
        score = len(words & {w.strip(".,?!").lower() for w in (page["title"] + " " + page["text"]).split()})
        if score: yield score, dict(page, start=0, end=len(page["text"].encode()))
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m: continue
    r = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "desk", "version": "1"}}
    if m["method"] == "tools/list":
        r = {"tools": [{"name": "lookup", "description": "Finds pages by their words.\\nMore of it.",
                        "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
                        "annotations": {"readOnlyHint": True}},
                       {"name": "forget", "description": "Loses a page.", "inputSchema": {"type": "object"}}]}
    if m["method"] == "tools/call":
        if os.environ.get("MOOD") == "dies": sys.exit(1)
        found = [h for _, h in sorted(hits(m["params"]["arguments"]["query"]), key=lambda x: -x[0])]
        r = {"content": [{"type": "text", "text": json.dumps({"hits": found})}]}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": r}), flush=True)
"""


class ToolsTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.server = self.write("server.py", SERVER)
        os.environ["DESK_PAGES"] = json.dumps(PAGES)
        os.environ["DESK_MOOD"] = "dies"

    def config(self, tools):
        demo = (ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8")
        return self.write("troupe.yaml", f"{demo}\ntools: {json.dumps(tools)}\n")

    def desk(self, **more):
        return {"command": [sys.executable, str(self.server)], "environment": {"PAGES": "${DESK_PAGES}", **more},
                "start_max": "2m"}

    def research(self, config, *more):
        return self.run_troupe("run", "research", "--config", config, "--set", f"question={QUESTION}", "--out",
                               self.folder / "out", "--state", self.folder / "state", *more)


class ListTools(ToolsTest):
    def full(self):
        with sqlite3.connect(self.folder / "sales.db") as database:
            database.execute("create table boats(name text, year integer)")
        self.write("handbook/bees.txt", "Bees make honey.")
        return {"mcp": {"desk": self.desk()}, "sql": {"sales": {"path": "sales.db"}},
                "corpora": {"handbook": {"path": "handbook"}}, "fetch": {"hosts": ["example.org"]}}

    def test_shows_each_tool_with_its_schema(self):
        config = self.config(self.full())
        listed = self.run_troupe("tools", "list", "--config", config)
        self.assert_status(listed, DONE)
        for words in ("desk_lookup  Finds pages by their words.\n", '"required":["query"]', "sql_sales", "search_handbook",
                      "open_document", "fetch", "calculator"):
            self.assertIn(words, listed.out)
        self.assertNotIn("desk_forget", listed.out, "what may write is not offered unasked")
        told = self.run_troupe("tools", "list", "--config", config, "--json")
        by_owner = {owner["from"]: owner for owner in told.json()}
        self.assertEqual(set(by_owner), {"mcp desk", "sql sales", "corpora", "fetch", "built in"})
        self.assertEqual(by_owner["mcp desk"]["tools"][0]["input_schema"]["required"], ["query"])
        self.assertIn("boats", by_owner["sql sales"]["tools"][0]["description"])

    def test_says_which_cannot_be_used_and_shows_the_others(self):
        tools = self.full()
        tools["mcp"]["gone"] = {"command": ["/nonexistent/server"]}
        tools["mcp"]["keyless"] = {"command": ["true"], "environment": {"KEY": "${TROUPE_NO_SUCH_KEY}"}}
        listed = self.run_troupe("tools", "list", "--config", self.config(tools))
        self.assertIn(listed.status, (NO_ENDPOINT, BAD_CONFIG))
        self.assertIn("troupe: mcp gone: ", listed.err)
        self.assertIn("TROUPE_NO_SUCH_KEY is not set", listed.err)
        self.assertIn("desk_lookup", listed.out)

    def test_names_the_records_that_were_left_out(self):
        tools = self.full()
        self.write("rules.jsonl", '{"id": "a", "text": "Lamps are lit at dusk."}\nno json\n{"id": "b"}\n')
        tools["corpora"]["rules"] = {"path": "rules.jsonl"}
        listed = self.run_troupe("tools", "list", "--config", self.config(tools))
        self.assert_status(listed, DONE)
        self.assertIn("troupe: corpora: corpus rules: left out: rules.jsonl:2: not JSON", listed.err)
        self.assertIn("troupe: corpora: corpus rules: left out: rules.jsonl:3: it has no text", listed.err)

    def test_without_a_configuration_there_is_what_is_built_in(self):
        listed = self.run_troupe("tools", "list")
        self.assert_status(listed, DONE)
        self.assertIn("calculator", listed.out)

    def test_check_finds_mistakes(self):
        checked = self.run_troupe("check", self.config({"mcp": {"desk": {"command": ["a"], "url": "http://b"}}}))
        self.assert_refused(checked, BAD_CONFIG, "tools.mcp.desk", "give either command")
        sound = self.run_troupe("check", self.config(self.full()))
        self.assert_status(sound, DONE)
        self.assertNotIn("warning", sound.err)

    def test_what_is_missing_is_a_warning_of_check_and_input_missing_of_list(self):
        for kind in ("corpora", "sql"):
            config = self.config({kind: {"far": {"path": "elsewhere"}}})
            checked = self.run_troupe("check", config)
            self.assert_status(checked, DONE)
            self.assertIn(f"troupe: warning: tools.{kind}.far.path: there is no {self.folder / 'elsewhere'} here", checked.err)
            self.assert_status(self.run_troupe("tools", "list", "--config", config), INPUT_MISSING)


class ResearchWithTools(ToolsTest):
    def test_answers_from_a_server_alone(self):
        ended = self.research(self.config({"mcp": {"desk": self.desk()}, "allow": {"research": ["desk_*"]}}))
        self.assert_status(ended, DONE)
        result = read_json(self.folder / "out" / "research.json")
        self.assertEqual(result["answer"], "1871")
        docs = {citation["doc"] for claim in result["claims"] for citation in claim["citations"]}
        self.assertIn("moor", docs)
        self.assertEqual({query["tool"] for query in result["agents"][0]["queries"]}, {"desk_lookup"})

    def test_a_server_that_dies_of_every_call_is_a_failure_the_model_is_told(self):
        ended = self.research(self.config({"mcp": {"desk": self.desk(MOOD="${DESK_MOOD}")}}))
        self.assert_status(ended, DONE)
        result = read_json(self.folder / "out" / "research.json")
        self.assertFalse(result["found"])
        self.assertGreater(result["agents"][0]["tool_errors"], 0)

    def test_a_server_that_never_was_does_not_keep_a_corpus_from_being_searched(self):
        pages = self.write("corpus.jsonl", "".join(json.dumps({"id": p["doc"], "title": p["title"], "text": p["text"]}) + "\n"
                                                   for p in PAGES))
        ended = self.research(self.config({"mcp": {"gone": {"command": ["/nonexistent/server"]}}}), "--input", pages)
        self.assert_status(ended, DONE)
        self.assertEqual(read_json(self.folder / "out" / "research.json")["answer"], "1871")

    def test_says_what_was_left_out_of_its_corpus(self):
        pages = self.write("corpus.jsonl", "no json\n" + "".join(json.dumps({"id": p["doc"], "title": p["title"], "text": p["text"]})
                                                                + "\n" for p in PAGES))
        self.assert_status(self.research(self.config({}), "--input", pages), DONE)
        self.assertIn("corpus.jsonl:1: not JSON", " ".join(read_json(self.folder / "out" / "research.json")["notes"]))
        self.assertIn("corpus.jsonl:1: not JSON", (self.folder / "out" / "report.md").read_text(encoding="utf-8"))

    def test_takes_every_setting_that_the_document_names(self):
        table = (ROOT / "docs" / "RESEARCH.md").read_text(encoding="utf-8").split("## Settings")[1].split("\n## ")[0]
        named = {key for line in table.splitlines() if line.startswith("| `") for key in re.findall("`([a-z_]+)`", line.split("|")[1])}
        refused = self.research(self.config({}), "--quiet", "--set", "no_such_thing=1")
        self.assert_refused(refused, USAGE, "there are ")
        there = set(re.split("[,; ()]+", refused.err.split("there are ")[1].strip()))
        self.assertEqual(named - there, set(), "named by the document, and refused")
        self.assertEqual({word for word in there if re.fullmatch("[a-z_]+", word)} - named, set(), "taken, and not named")

    def test_needs_something_to_look_into(self):
        self.assert_refused(self.research(self.config({}), "--quiet"), INPUT_MISSING, "--input", "tools")
        refused = self.research(self.config({"mcp": {"desk": self.desk()}}), "--quiet", "--set", "tools=nothing")
        self.assert_refused(refused, BAD_INPUT, "desk_lookup")
        tasks = self.write("tasks.jsonl", '{"id": "a", "task": "Add 1 and 1", "tool": "calculator"}\n')
        untested = self.run_troupe("run", "tool_test", "--input", tasks, "--config", self.config({}), "--set", "tool=calculator",
                                   "--out", self.folder / "out", "--state", self.folder / "state", "--quiet")
        self.assert_refused(untested, INPUT_MISSING, "tool_test needs a corpus", "--set corpus=")


class BetterDescriptions(ToolsTest):
    """M20: tested, accepted by the gate, seen by agents, taken back."""

    def tasks(self):
        lines = [{"id": f"look-{i}", "task": f"Look for what the keeper does on day {i}", "tool": "search_handbook"} for i in range(8)]
        lines += [{"id": f"sum-{i}", "task": f"How much is {i} + {i}?", "tool": "calculator"} for i in range(8)]
        return self.write("tasks.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    def probed(self, config, out):
        ended = self.run_troupe("run", "tool_test", "--config", config, "--input", self.folder / "tasks.jsonl", "--set",
                                "tool=search_handbook", "--out", self.folder / out, "--state", self.folder / "state", "--quiet")
        self.assert_status(ended, DONE)
        return read_json(self.folder / out / "tool_test.json")

    def texts(self, *words):
        return self.run_troupe("tools", *words, "--state", self.folder / "state")

    def test_are_taken_over_only_from_the_gate_and_taken_back(self):
        self.write("handbook/keeper.txt", "The keeper lights the lamp and keeps the log of each day.")
        self.tasks()
        config = self.config({"corpora": {"handbook": {"path": "handbook"}}})
        quick = config.read_text(encoding="utf-8").replace("scale: 0.4", "scale: 0.01")
        config.write_text(quick, encoding="utf-8")
        first = self.probed(config, "first")
        own = first["before"]
        self.assertFalse(first["accepted"], first["why"])
        self.assertIn("Finds passages", own)
        self.assert_refused(self.texts("accept", self.folder / "first" / "tool_test.json"), NO_ENDPOINT, "not accepted")
        # Another outcome of the same test; what the file claims of itself is not believed.
        first.update(after="The keeper's handbook.", accepted=True)
        claimed = self.write("claimed.json", json.dumps(first))
        self.assert_refused(self.texts("accept", claimed), NO_ENDPOINT, "not accepted")
        for pair in first["held_out"]:
            pair["before"][0].update(calls=3, ms=900, solved=True)
            pair["after"][0].update(calls=1, ms=300, solved=True)
        ungated = self.write("ungated.json", json.dumps(dict(first, gate="off")))
        self.assert_refused(self.texts("accept", ungated), NO_ENDPOINT, "switched off")
        better = self.write("better.json", json.dumps(first))
        self.assert_status(self.texts("accept", better), DONE)
        again = dict(first, after="The keeper's other handbook.")
        self.assert_refused(self.texts("accept", self.write("again.json", json.dumps(again))), NO_ENDPOINT, "stands already")
        self.assertEqual(self.probed(config, "second")["before"], "The keeper's handbook.")
        told = self.texts("descriptions", "--json").json()
        self.assertEqual([(row["before"], row["after"]) for row in told], [(own, "The keeper's handbook.")])
        self.assert_status(self.texts("rollback", "search_handbook"), DONE)
        self.assertEqual(self.probed(config, "third")["before"], own)
        self.assertEqual(len(self.texts("descriptions", "--json").json()), 2, "nothing is overwritten")
        self.assert_refused(self.texts("rollback", "search_handbook"), NO_ENDPOINT, "no accepted description")
        self.assert_status(self.texts("accept", better), DONE)


class RealServers(ToolsTest):
    """Servers we did not write, from npm."""

    def setUp(self):
        super().setUp()
        folder = Path(program()).resolve().parent / "mcp"
        install = [sys.executable, "-B", str(ROOT / "tests" / "mcp" / "install.py"), str(folder)]
        if subprocess.run(install, check=False).returncode != 0:
            self.skipTest("the npm servers are not there: no foreign server is tried")
        script = folder / "node_modules" / "@modelcontextprotocol"
        self.write("shelf/note.txt", "The keeper counts seven ships.")
        self.tools = {"everything": {"command": ["node", str(script / "server-everything" / "dist" / "index.js"), "stdio"],
                                     "start_max": "3m"},
                      "files": {"command": ["node", str(script / "server-filesystem" / "dist" / "index.js"),
                                            str((self.folder / "shelf").resolve())], "start_max": "3m"}}

    def test_are_listed(self):
        listed = self.run_troupe("tools", "list", "--config", self.config({"mcp": self.tools}), "--json", seconds=240)
        self.assert_status(listed, DONE)
        names = {tool["name"] for owner in listed.json() for tool in owner["tools"]}
        self.assertIn("everything_echo", names)
        self.assertIn("files_read_text_file", names)
        self.assertNotIn("files_write_file", names)
        show("tools.of_real_servers", len(names))

    def test_are_used_by_research(self):
        config = self.config({"mcp": self.tools, "allow": {"research": ["everything_echo", "files_*"]}})
        ended = self.research(config)
        self.assert_status(ended, DONE)
        result = read_json(self.folder / "out" / "research.json")
        agent = result["agents"][0]
        self.assertEqual({query["tool"] for query in agent["queries"]}, {"everything_echo"})
        self.assertEqual(agent["tool_errors"], 0)
        self.assertGreater(agent["sources"], 0)
        # It says back what it is told: nothing in it answers the question.
        for claim in result["claims"]:
            for citation in claim["citations"]:
                self.assertTrue(citation["doc"].startswith("tool:everything_echo/"), citation)


if __name__ == "__main__":
    main()
