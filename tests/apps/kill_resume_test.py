"""kill -9 at ten chosen moments, the same command again each time: the same recap, and nothing recorded bought twice."""
import collections
import json
import random

import clouds
from troupe_process import DAYS, DONE, SAMPLE, ProcessTest, main, read_json, show, wait_until

KILLS = 10
SEED = 20260310
IN_FLIGHT = 4


class KillResume(ProcessTest):
    def command(self, config, out):
        return ("run", "recap", "--config", config, "--input", SAMPLE, "--out", self.folder / out, "--state",
                self.folder / f"{out}-state", "--run-id", "one-run", *DAYS)

    def history(self, config, out):
        """What the journal holds: (entries, model calls recorded, model calls begun and not recorded)."""
        told = self.run_troupe("runs", "export", "one-run", "--config", config, "--state", self.folder / f"{out}-state")
        self.assert_status(told, DONE)
        entries = [json.loads(line) for line in told.out.splitlines()]
        begun = {entry["step"] for entry in entries if entry["kind"] == "intent"}
        recorded = {entry["step"] for entry in entries if entry["kind"] == "result"}
        return entries, begun & recorded, begun - recorded

    def undisturbed(self):
        simulator = self.simulate(clouds.simulated(0.5, alike=True))
        config = self.write_config("calm.yaml", clouds.callers(simulator.url, IN_FLIGHT, alike=True))
        self.assert_status(self.run_troupe(*self.command(config, "calm")), DONE)
        return simulator.total()

    def test_survives_ten_kills_without_buying_a_recorded_answer_twice(self):
        calls = self.undisturbed()
        simulator = self.simulate(clouds.simulated(0.5, alike=True))
        config = self.write_config("killed.yaml", clouds.callers(simulator.url, IN_FLIGHT, alike=True))
        moments = sorted(random.Random(SEED).sample(range(2, calls - 4), KILLS))
        surplus, lost = 0, []
        for moment in moments:
            process = self.start(*self.command(config, "killed"))
            wait_until(lambda: simulator.total() - surplus >= moment or not process.going(), f"call {moment}")
            self.assertTrue(process.going(), "".join(process.err))
            process.kill()
            recorded = self.history(config, "killed")[1]
            # Made and not recorded: these, and no others, have to be made again.
            lost.append(simulator.total() - len(recorded) - surplus)
            surplus += lost[-1]
        last = self.run_troupe(*self.command(config, "killed"))
        self.assert_status(last, DONE)
        self.assertEqual((self.folder / "calm" / "recap.json").read_bytes(),
                         (self.folder / "killed" / "recap.json").read_bytes())
        self.check_calls(simulator, config, calls, lost)

    def check_calls(self, simulator, config, calls, lost):
        entries, _, open_now = self.history(config, "killed")
        recorded = set()
        intents = collections.Counter()
        for entry in entries:
            if entry["kind"] == "intent":
                self.assertNotIn(entry["step"], recorded, "a recorded step was begun again")
                intents[entry["step"]] += 1
            elif entry["kind"] == "result":
                self.assertNotIn(entry["step"], recorded, "a step was recorded twice")
                recorded.add(entry["step"])
        by_request = collections.Counter(call["request"] for call in simulator.calls())
        run = read_json(self.folder / "killed" / "run.json")
        show("kill_resume.kills", KILLS)
        show("kill_resume.calls", f"{sum(by_request.values())} made, {calls} undisturbed, {lost} in flight at the kills")
        show("kill_resume.replayed_last", f"{run['steps']['replayed']} of {run['steps']['total']}")
        self.assertEqual(open_now, set())
        self.assertEqual(len(by_request), calls, "as many different questions as undisturbed")
        self.assertEqual(len(intents), calls)
        self.assertEqual(sum(by_request.values()), calls + sum(lost))
        # No more can be in flight than the endpoints hold, and as many again on their way into the journal.
        self.assertLessEqual(max(lost), 4 * IN_FLIGHT)
        # At most once more per kill that found it open, never for free: question by question.
        twice = sorted(by_request.values(), reverse=True)
        allowed = sorted(intents.values(), reverse=True)
        self.assertTrue(all(made <= may for made, may in zip(twice, allowed)), (twice[:12], allowed[:12]))
        self.assertGreater(run["steps"]["replayed"], 0)


if __name__ == "__main__":
    main()
