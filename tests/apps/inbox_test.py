"""Signals to runs from another process: while the run goes, while nobody drives it, twice, and around a crash."""
import json
import os

from troupe_process import BAD_INPUT, DONE, INPUT_MISSING, INTERRUPTED, ProcessTest, main, read_json, terminate, wait_until

KILLED = -9
FLOW = """workflow: words
inputs: {}
steps:
  - {id: one, signal: word}
  - {id: two, after: [one], signal: again}
output: "{{steps.one}} {{steps.two}}"
"""


class Inbox(ProcessTest):
    def setUp(self):
        super().setUp()
        self.write("words.yaml", FLOW)
        self.state = ("--state", self.folder / "state")

    def command(self):
        return ("run", self.folder / "words.yaml", "--out", self.folder / "out", "--run-id", "r", "--quiet", *self.state)

    def begin(self):
        process = self.start(*self.command())
        wait_until(lambda: "start" in self.kinds() or not process.going(), "the run has begun")
        self.assertTrue(process.going(), "".join(process.err))
        return process

    def signal(self, json_text, *more, run="r"):
        name = "again" if json_text == '"b"' else "word"
        return self.run_troupe("runs", "signal", run, name, json_text, *more, *self.state)

    def kinds(self):
        told = self.run_troupe("runs", "export", "r", *self.state)
        return [json.loads(line)["kind"] for line in told.out.splitlines()] if told.status == DONE else []

    def result(self):
        return read_json(self.folder / "out" / "result.json")

    def test_another_process_answers_a_run_that_goes(self):
        process = self.begin()
        for _ in range(3):
            self.assert_status(self.signal('"a"', "--message-id", "first"), DONE)
        wait_until(lambda: "signal_in" in self.kinds(), "the signal has been taken up")
        self.assert_status(self.signal('"a"', "--message-id", "first"), DONE)
        self.assert_status(self.signal('"b"', "--message-id", "second"), DONE)
        self.assert_status(process.wait(), DONE)
        self.assertEqual(self.result(), "a b")
        self.assertEqual(self.kinds().count("signal_in"), 2)

    def test_what_is_said_while_nobody_drives_the_run_waits(self):
        self.begin().kill()
        self.assert_status(self.signal('"a"'), DONE)
        self.assert_status(self.signal('"b"'), DONE)
        self.assert_status(self.run_troupe(*self.command()), DONE)
        self.assertEqual(self.result(), "a b")

    def test_a_crash_before_or_after_the_entry_neither_loses_nor_repeats_it(self):
        for point in ("signal.before_entry", "journal.before_commit", "signal.after_entry"):
            with self.subTest(point=point):
                self.state = ("--state", self.folder / point)
                self.begin().kill()
                self.assert_status(self.signal('"a"', "--message-id", "first"), DONE)
                # The journal's commits before it are the node's joining and the run's claim.
                passage = 3 if point.startswith("journal") else 1
                os.environ["CRASHPOINT"] = f"{point}:{passage}"
                try:
                    self.assertEqual(self.run_troupe(*self.command()).status, KILLED, "the point was passed")
                finally:
                    del os.environ["CRASHPOINT"]
                self.assertEqual(self.kinds().count("signal_in"), 1 if point == "signal.after_entry" else 0)
                self.assert_status(self.signal('"a"', "--message-id", "first"), DONE)
                self.assert_status(self.signal('"b"'), DONE)
                self.assert_status(self.run_troupe(*self.command()), DONE)
                self.assertEqual(self.result(), "a b")
                self.assertEqual(self.kinds().count("signal_in"), 2)

    def test_says_when_nobody_could_hear(self):
        process = self.begin()
        self.assert_refused(self.signal('"a"', run="nobody"), INPUT_MISSING, "nobody")
        self.assert_refused(self.signal("yes, go"), BAD_INPUT, "JSON")
        self.signal('"a"')
        self.signal('"b"')
        self.assert_status(process.wait(), DONE)
        self.assert_refused(self.signal('"c"'), BAD_INPUT, "done")

    def cancel(self, *more):
        return self.run_troupe("runs", "cancel", "r", *more, *self.state)

    def test_another_process_calls_a_run_off(self):
        process = self.begin()
        told = self.cancel()
        self.assert_status(told, DONE)
        self.assertIn("asked local to cancel r", told.err)
        self.assertEqual(told.out, "r: cancelled\n")
        ended = process.wait()
        self.assert_status(ended, BAD_INPUT)
        self.assertIn("run r was cancelled", ended.err)
        again = self.cancel()
        self.assert_status(again, DONE)
        self.assertEqual((again.out, again.err), ("r: cancelled\n", ""), "nobody is asked any more")
        self.assertEqual(self.kinds().count("cancel"), 1)
        self.assert_refused(self.run_troupe("runs", "cancel", "nobody", *self.state), INPUT_MISSING, "nobody")

    def test_a_run_called_off_while_nobody_drives_it_is_not_gone_on_with(self):
        self.begin().kill()
        told = self.cancel("--wait", "0.2")
        self.assert_status(told, INTERRUPTED)
        self.assertIn("still running", told.err)
        self.assert_status(self.cancel("--wait", "0"), DONE)
        self.assert_status(self.signal('"a"'), DONE)
        self.assert_status(self.signal('"b"'), DONE)
        self.assert_status(self.run_troupe(*self.command()), BAD_INPUT)
        self.assertEqual((self.kinds().count("cancel"), self.kinds().count("done")), (1, 0))

    def test_what_is_done_is_not_called_off(self):
        process = self.begin()
        self.signal('"a"')
        self.signal('"b"')
        self.assert_status(process.wait(), DONE)
        self.assert_refused(self.cancel(), BAD_INPUT, "done")

    def test_a_node_takes_up_what_was_said_while_it_was_down(self):
        self.begin().kill()
        config = self.write_config("node.yaml", {"node": {"id": "local", "state_dir": str(self.folder / "state")},
                                                 "workflows": ["words.yaml"]})
        self.assert_status(self.signal('"a"'), DONE)
        node = self.start("node", "--config", config)
        node.ready()
        self.assert_status(self.signal('"b"'), DONE)
        wait_until(lambda: "done" in self.kinds(), "the node has ended the run")
        self.assertEqual(self.kinds().count("signal_in"), 2)
        terminate(node)


if __name__ == "__main__":
    main()
