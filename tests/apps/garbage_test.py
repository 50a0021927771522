"""What users get wrong: one clear line that names the thing, the right exit status, and the rest recapped if it can be."""
import json
import shutil
import zipfile

import clouds
from troupe_process import (BAD_CONFIG, BAD_INPUT, DONE, INPUT_MISSING, SAMPLE, USAGE, ProcessTest, main, read_json,
                            show, wait_until)

DAY = "general/2026-03-12.json"


class Garbage(ProcessTest):
    def setUp(self):
        super().setUp()
        config = {**clouds.callers("simulator"), "simulator": clouds.simulated(0)}
        self.config = self.write_config("config.yaml", config)

    def recap(self, source, *more, out="out", state="state", **options):
        return self.run_troupe("run", "recap", "--config", self.config, "--input", source, "--out", self.folder / out,
                               "--state", self.folder / state, *more, **options)

    def sample(self):
        return shutil.copytree(SAMPLE, self.folder / "workspace")

    def problems_of(self, source):
        ended = self.recap(source)
        self.assert_status(ended, DONE)
        recap = read_json(self.folder / "out" / "recap.json")
        self.assertGreater(len(recap["channels"]), 3)
        return {problem["file"]: problem["reason"] for problem in recap["problems"]}, ended

    # ---- data ----

    def test_refuses_a_cut_zip_and_reads_a_whole_one(self):
        whole, cut = self.folder / "whole.zip", self.folder / "cut.zip"
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(SAMPLE.rglob("*.json")):
                archive.write(path, path.relative_to(SAMPLE))
        cut.write_bytes(whole.read_bytes()[:-3000])
        self.assertEqual(self.problems_of(whole)[0], {})
        self.assert_refused(self.recap(cut, out="cut"), BAD_INPUT, "cut.zip", "cut short")

    def test_names_a_200_mb_line_and_recaps_the_rest(self):
        folder = self.sample()
        with open(folder / DAY, "w", encoding="utf-8") as file:
            file.write('[{"type":"message","user":"U1","ts":"1773300695.049309","text":"')
            for _ in range(200):
                file.write("a" * (1 << 20))
            file.write('"}]')
        problems, ended = self.problems_of(folder)
        show("garbage.huge_line_rss", f"{ended.rss_mb:.0f}", "MB")
        self.assertIn("209715267 bytes", problems[DAY])
        self.assertLess(ended.rss_mb, 300)

    def test_names_invalid_utf8_and_recaps_the_rest(self):
        folder = self.sample()
        (folder / DAY).write_bytes(b'[{"type":"message","user":"U1","ts":"1773187200.000100","text":"\xff\xfe bad"}]')
        self.assertIn("UTF-8", self.problems_of(folder)[0][DAY])

    def test_keeps_the_first_of_messages_that_share_a_ts(self):
        folder = self.sample()
        messages = json.loads((folder / DAY).read_text(encoding="utf-8"))
        (folder / DAY).write_text(json.dumps(messages + messages[:1]), encoding="utf-8")
        self.assertIn(messages[0]["ts"], self.problems_of(folder)[0][DAY])

    def test_names_a_file_where_a_folder_should_be(self):
        folder = self.sample()
        shutil.rmtree(folder / "general")
        (folder / "general").write_text("x", encoding="utf-8")
        self.assertIn("file where", self.problems_of(folder)[0]["general"])

    def test_refuses_what_is_no_export(self):
        empty, lists = self.folder / "empty", self.folder / "lists"
        empty.mkdir()
        for name in ("channels.json", "users.json"):
            self.write(f"lists/{name}", "[]")
        self.assert_refused(self.recap(empty), BAD_INPUT, "not a Slack export")
        self.assert_refused(self.recap(lists), BAD_INPUT, "no messages")
        self.assert_refused(self.recap(SAMPLE / "users.json"), BAD_INPUT, "users.json", "neither")
        self.assert_refused(self.recap(self.folder / "nowhere"), INPUT_MISSING, "nowhere")

    # ---- the command line ----

    def test_refuses_settings_it_cannot_obey(self):
        self.assert_refused(self.recap(SAMPLE, "--set", "from"), USAGE, "KEY=VALUE", "from")
        self.assert_refused(self.recap(SAMPLE, "--set", "form=2026-03-10"), USAGE, "form", "channels")
        self.assert_refused(self.recap(SAMPLE, "--set", "from=yesterday"), BAD_INPUT, "yesterday", "YYYY-MM-DD")
        self.assert_refused(self.recap(SAMPLE, "--set", "channels=nope"), BAD_INPUT, "nope")
        self.assert_refused(self.recap(SAMPLE, "--set", "user=nope"), BAD_INPUT, "nope")
        self.assert_refused(self.recap(SAMPLE, "--set", "chunk_tokens_max=few"), BAD_INPUT, "chunk_tokens_max")

    def test_refuses_unknown_verbs_flags_and_workflows(self):
        for arguments, word in ((("frobnicate",), "frobnicate"), (("version", "--frob"), "--frob"), ((), "subcommand"),
                                (("run",), "workflow"), (("runs", "frob"), "subcommand"),
                                (("run", "nope", "--input", SAMPLE, "--out", "o"), "nope"),
                                (("cost", "--by", "weather"), "weather")):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.run_troupe(*arguments), USAGE, word)

    # ---- configuration ----

    def test_says_where_a_configuration_is_wrong(self):
        typo = self.write("typo.yaml", self.config.read_text(encoding="utf-8").replace('"features"', '"featurs"'))
        broken = self.write("broken.yaml", "a: [1,\n")
        for command in (("check",), ("run", "recap", "--input", SAMPLE, "--out", "o", "--config"), ("node", "--config")):
            self.assert_refused(self.run_troupe(*command, typo), BAD_CONFIG, "typo.yaml:", "featurs", "features")
            self.assert_refused(self.run_troupe(*command, broken), BAD_CONFIG, "broken.yaml:2")
            self.assert_refused(self.run_troupe(*command, "nowhere.yaml"), INPUT_MISSING, "nowhere.yaml")

    # ---- folders ----

    def test_refuses_an_unwritable_out_before_anything_is_bought(self):
        self.write("file", "x")
        for out in ("file", "file/below"):
            self.assert_refused(self.recap(SAMPLE, out=out), USAGE, out, "cannot write")
        self.assertFalse((self.folder / "state").exists())

    def test_refuses_a_state_it_cannot_use(self):
        self.write("file", "x")
        self.assert_refused(self.recap(SAMPLE, state="file"), BAD_CONFIG, "file/troupe.db")
        self.write("damaged/troupe.db", bytes(range(256)) * 400)
        self.assert_refused(self.recap(SAMPLE, state="damaged"), BAD_CONFIG, "damaged/troupe.db")
        self.assert_refused(self.run_troupe("runs", "list", "--state", "damaged"), BAD_CONFIG, "damaged/troupe.db")
        self.assert_refused(self.run_troupe("cost", "--state", "nowhere"), INPUT_MISSING, "nowhere/troupe.db")

    def test_refuses_a_second_process_on_one_state_and_lets_the_first_finish(self):
        slow = {**clouds.callers("simulator"), "simulator": clouds.simulated(2)}
        config = self.write_config("slow.yaml", slow)
        command = ("run", "recap", "--config", config, "--input", SAMPLE, "--state", self.folder / "state", "--out")
        first = self.start(*command, self.folder / "one", "--run-id", "one")
        wait_until(lambda: (self.folder / "state" / "troupe.db.lock").exists() or not first.going(), "the state is held")
        second = self.run_troupe(*command, self.folder / "two", "--run-id", "two")
        self.assert_refused(second, BAD_CONFIG, "troupe.db.lock", str(first.child.pid))
        # Looking is allowed while another writes.
        self.assert_status(self.run_troupe("runs", "list", "--state", self.folder / "state"), DONE)
        self.assert_status(first.wait(), DONE)


if __name__ == "__main__":
    main()
