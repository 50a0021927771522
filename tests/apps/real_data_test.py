"""The main job over data nobody here wrote: 358 channel-days, every source checked against the raw export."""
import json
import re
from pathlib import Path

from troupe_process import DATA, DONE, ROOT, SLOW_BUILD, ProcessTest, main, read_json, show

EXPORT = DATA / "slack_export"
KINDS = {"topic", "decision", "question", "action"}


def fast_config():
    """The demo's clouds without faults, answering at once."""
    text = (ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^  scale: .*$", "  scale: 0", text)
    return re.sub(r"(?m)^      faults:\n(?:        - .*\n)+", "", text)


def raw_times(channel, date):
    messages = json.loads((EXPORT / channel / f"{date}.json").read_text(encoding="utf-8"))
    return {message["ts"] for message in messages}


class RealData(ProcessTest):
    def setUp(self):
        super().setUp()
        if not EXPORT.is_dir():
            self.skipTest(f"NO REAL DATA: {EXPORT} is not there (set TROUPE_DATA)")

    def recap(self, out, *more):
        config = self.write("fast.yaml", fast_config())
        ended = self.run_troupe("run", "recap", "--config", config, "--input", EXPORT, "--out", self.folder / out,
                                "--state", self.folder / f"{out}-state", *more)
        self.assert_status(ended, DONE)
        return ended

    def test_recaps_every_channel_day_with_sources_that_resolve(self):
        ended = self.recap("all", "--set", "from=2000-01-01", "--set", "to=2030-01-01")
        recap, run = read_json(self.folder / "all" / "recap.json"), read_json(self.folder / "all" / "run.json")
        points = sum(len(channel["points"]) for channel in recap["channels"])
        show("real_data.wall", f"{ended.seconds:.2f}", "s")
        show("real_data.peak_rss", f"{ended.rss_mb:.0f}", "MB")
        show("real_data.points", points)
        show("real_data.calls", run["calls"]["total"])
        self.assertEqual(len(recap["channels"]), 358)
        self.assertEqual(sum(channel["messages"] for channel in recap["channels"]), 21267)
        self.assertEqual(recap["problems"], [])
        self.assertGreater(points, 358)
        for channel in recap["channels"]:
            self.check_channel(channel)
        for line in recap["digest"]:
            self.assertTrue(line["text"] and line["sources"])
            self.assertLessEqual(set(line["sources"]), raw_times(line["channel"], line["date"]))
        self.check_run(run)
        if not SLOW_BUILD:
            self.assertLess(ended.seconds, 60)
            self.assertLess(ended.rss_mb, 300)

    def check_channel(self, channel):
        times = raw_times(channel["name"], channel["date"])
        self.assertEqual(channel["messages"], len(times))
        for point in channel["points"]:
            self.assertIn(point["kind"], KINDS)
            self.assertTrue(point["text"].strip())
            self.assertTrue(point["sources"])
            self.assertLessEqual(set(point["sources"]), times)
            self.assertTrue(all(isinstance(person, str) for person in point["people"]))

    def check_run(self, run):
        self.assertEqual((run["workflow"], run["state"]), ("recap", "done"))
        self.assertEqual(run["steps"]["replayed"], 0)
        self.assertGreater(run["steps"]["total"], 358)
        self.assertEqual(sum(run["calls"]["by_endpoint"].values()), run["calls"]["total"])
        self.assertEqual(sum(run["calls"]["by_cause"].values()), run["calls"]["total"])
        self.assertGreater(run["tokens"]["input"], 0)
        self.assertEqual(set(run["tokens"]), {"input", "output", "cached"})
        self.assertIsInstance(run["estimated"], bool)
        self.assertIsInstance(run["cost_usd"], float)
        self.assertRegex(run["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

    def test_says_the_same_twice(self):
        choice = ("--set", "from=2019-01-01", "--set", "to=2019-01-31")
        self.recap("one", *choice)
        self.recap("two", *choice)
        one, two = (Path(self.folder / out / "recap.json").read_bytes() for out in ("one", "two"))
        self.assertEqual(one, two)

    def test_recaps_one_persons_channels(self):
        users = json.loads((EXPORT / "users.json").read_text(encoding="utf-8"))
        channels = json.loads((EXPORT / "channels.json").read_text(encoding="utf-8"))
        member = next(user for user in users if [user["id"] in c["members"] for c in channels].count(True) == 1)
        own = [c["name"] for c in channels if member["id"] in c["members"]]
        self.recap("user", "--set", f"user={member['name']}", "--set", "from=2019-03-01", "--set", "to=2019-03-03")
        self.assertLessEqual({c["name"] for c in read_json(self.folder / "user" / "recap.json")["channels"]}, set(own))


if __name__ == "__main__":
    main()
