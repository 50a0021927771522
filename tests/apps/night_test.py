"""troupe run recap_night over an export of which a day cannot be read: every reader has a letter, and is told."""
import shutil

from troupe_process import DONE, SAMPLE, ProcessTest, main, read_json


class Night(ProcessTest):
    def test_a_day_that_cannot_be_read_costs_nobody_a_letter(self):
        workspace = self.folder / "workspace"
        shutil.copytree(SAMPLE, workspace)
        (workspace / "sales" / "2026-03-12.json").write_text('[{"type":', encoding="utf-8")
        ended = self.run_troupe("run", "recap_night", "--input", workspace, "--out", "out", "--set", "recaps=letters",
                                "--set", "zone=UTC", "--set", "date=2026-03-13", "--set", "last=2026-03-12")
        self.assert_status(ended, DONE)
        result = read_json(self.folder / "out" / "result.json")
        self.assertGreater(result["readers"], 0)
        self.assertEqual(result["delivered"], result["readers"])
        self.assertEqual([each["file"] for each in result["problems"]], ["sales/2026-03-12.json"])
        self.assertEqual(result["uncondensed"], 0, "readers who miss a channel share the digest of those who do not")
        letters = [path.read_text(encoding="utf-8") for path in (self.folder / "letters").glob("*.md")]
        self.assertEqual(len(letters), result["readers"])
        self.assertTrue(any("sales could not be read" in letter for letter in letters))


if __name__ == "__main__":
    main()
