"""troupe run search: an answer somebody reads while it is written, or links for nothing; and the same run again."""
import json

from troupe_process import BAD_INPUT, DONE, INPUT_MISSING, ProcessTest, main, read_json

PAGES = [
    {"id": "skerry", "title": "Skerry Light", "url": "https://wiki.example/skerry",
     "text": "Skerry Light is a lighthouse on Gannet Rock. It was designed by the engineer Aline Moor in 1899."},
    {"id": "duty", "title": "Duty roster", "url": "https://wiki.example/duty",
     "text": "The duty roster of the keepers. Every keeper stands four hours of watch at night."},
    {"id": "wreck", "title": "Wreck report", "acl": ["harbour-master"],
     "text": "The wreck of the Marigold was blamed on the lamp of Skerry Light."},
]
QUESTION = "Who designed Skerry Light?"


class Search(ProcessTest):
    def search(self, question, *more, out="out"):
        pages = self.write("corpus.jsonl", "".join(json.dumps(page) + "\n" for page in PAGES))
        return self.run_troupe("run", "search", "--input", pages, "--set", f"question={question}", "--out", out, *more)

    def result(self, out="out"):
        return read_json(self.folder / out / "search.json")

    def test_prints_an_answer_with_its_sources_and_leaves_files(self):
        ended = self.search(QUESTION)
        self.assert_status(ended, DONE)
        self.assertIn("designed by the engineer Aline Moor in 1899. [1]", ended.out)
        self.assertIn("[1] Skerry Light, https://wiki.example/skerry", ended.out)
        result = self.result()
        self.assertTrue(result["found"])
        text = {page["id"]: page["text"].encode() for page in PAGES}
        for claim in result["claims"]:
            for citation in claim["citations"]:
                shown = text[citation["doc"]][citation["start"]:citation["end"]].decode()
                self.assertTrue(shown and shown in claim["text"], (shown, claim["text"]))
        answer = (self.folder / "out" / "answer.md").read_text(encoding="utf-8")
        self.assertIn("[Skerry Light](https://wiki.example/skerry)", answer)
        self.assertIn("not a language model", answer)

    def test_a_way_to_a_page_costs_nothing(self):
        ended = self.search("go to the duty roster")
        self.assert_status(ended, DONE)
        self.assertEqual(ended.out, "- Duty roster, https://wiki.example/duty\n")
        self.assertEqual((self.result()["calls"], self.result()["served"]), (0, "links"))
        self.assertEqual(self.run_troupe("cost", "--by", "run", "--json").json(), [])

    def test_repeated_under_its_name_it_buys_nothing_and_its_history_makes_it_again(self):
        self.assert_status(self.search(QUESTION, "--run-id", "s1"), DONE)
        paid = self.run_troupe("cost", "--by", "run", "--json").json()
        self.assert_status(self.search(QUESTION, "--run-id", "s1", out="again"), DONE)
        self.assertEqual(self.run_troupe("cost", "--by", "run", "--json").json(), paid)
        self.assertEqual(self.result(), self.result("again"))
        self.assert_status(self.run_troupe("runs", "export", "s1", "--verify-replay"), DONE)

    def test_finds_with_the_rights_of_the_asker(self):
        question = "What was the wreck of the Marigold blamed on?"
        self.assert_status(self.search(question), DONE)
        self.assertNotIn("wreck", [link["doc"] for link in self.result()["results"]])
        self.assert_status(self.search(question, "--set", "principal=harbour-master"), DONE)
        self.assertIn("lamp", self.result()["answer"])

    def test_without_money_gives_links(self):
        ended = self.search(QUESTION, "--budget", "calls=1")
        self.assert_status(ended, DONE)
        self.assertEqual(self.result()["served"], "links")
        self.assertIn("https://wiki.example/skerry", ended.out)
        self.assertIn("budget", ended.err)

    def test_says_what_is_wrong(self):
        self.assert_refused(self.search("x" * 2001, "--quiet"), BAD_INPUT, "question")
        self.assert_refused(self.search(QUESTION, "--quiet", "--set", "from=soon"), BAD_INPUT, "from")
        nothing = self.run_troupe("run", "search", "--set", f"question={QUESTION}", "--out", "out", "--quiet")
        self.assert_refused(nothing, INPUT_MISSING, "--input")


if __name__ == "__main__":
    main()
