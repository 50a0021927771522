"""An endpoint that fails for a third of the run: the same recap with the mechanisms, a failed run without them."""
import sqlite3
import threading

import clouds
from troupe_process import DAYS, DONE, NO_ENDPOINT, SAMPLE, ProcessTest, main, read_json, show

SCALE = 0.5


def callers(url):
    """As many calls routed at once as the endpoints hold, so that what is decided is decided late."""
    config = clouds.callers(url)
    config["features"]["recap"]["admission"] = {"running_max": 8}
    return config


class EndpointFailure(ProcessTest):
    def recap(self, config, out):
        return self.run_troupe("run", "recap", "--config", config, "--input", SAMPLE, "--out", self.folder / out,
                               "--state", self.folder / f"{out}-state", *DAYS)

    def break_main_for_a_third(self, simulator, steps):
        """A thread that watches the calls answered: main is broken for a third of the steps, early enough to see it recover."""
        def answered():
            return sum(each["by_outcome"].get("ok", 0) for each in simulator.stats()["endpoints"].values())

        over = threading.Event()

        def watch():
            for share, faults in ((1 / 6, [{"kind": "errors"}]), (1 / 2, [])):
                while answered() < steps * share:
                    if over.wait(0.01):
                        return
                simulator.set_faults("main", faults)
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()

        def end():
            over.set()
            thread.join()
        return end

    def undisturbed(self):
        simulator = self.simulate(clouds.simulated(SCALE))
        ended = self.recap(self.write_config("calm.yaml", callers(simulator.url)), "calm")
        self.assert_status(ended, DONE)
        return read_json(self.folder / "calm" / "run.json")

    def breaker_moves(self, out):
        database = sqlite3.connect(self.folder / f"{out}-state" / "troupe.db")
        try:
            return database.execute("SELECT before, after FROM breaker WHERE endpoint = 'main' ORDER BY id").fetchall()
        finally:
            database.close()

    def test_says_the_same_while_the_primary_is_down_for_a_third_of_the_run(self):
        calm = self.undisturbed()
        simulator = self.simulate(clouds.simulated(SCALE))
        end_watch = self.break_main_for_a_third(simulator, calm["steps"]["total"])
        ended = self.recap(self.write_config("hurt.yaml", callers(simulator.url)), "hurt")
        end_watch()
        self.assert_status(ended, DONE)
        hurt = read_json(self.folder / "hurt" / "run.json")
        failed = simulator.stats()["endpoints"]["main"]["by_outcome"].get("errors", 0)
        show("endpoint_failure.calls_that_failed", failed)
        show("endpoint_failure.calls", hurt["calls"])
        show("endpoint_failure.seconds", f"{calm['seconds']:.2f} undisturbed, {hurt['seconds']:.2f}")
        self.assertGreaterEqual(failed, 3)
        self.assertEqual((self.folder / "calm" / "recap.json").read_bytes(),
                         (self.folder / "hurt" / "recap.json").read_bytes())
        self.assertEqual(hurt["steps"], calm["steps"])
        self.assertGreater(hurt["calls"]["by_cause"].get("fallback", 0), 0)
        # No call is lost, none is counted twice.
        self.assertEqual(hurt["calls"]["total"], simulator.total())
        self.check_breaker_history()

    def check_breaker_history(self):
        moves = self.breaker_moves("hurt")
        show("endpoint_failure.breaker", " ".join(f"{before}>{after}" for before, after in moves))
        self.assertIn(("closed", "open"), moves)
        self.assertIn(("partial", "closed"), moves, "main did not recover")
        report = (self.folder / "hurt" / "report.html").read_text(encoding="utf-8")
        self.assertIn("open", report)
        self.assertIn("main", report)
        cost = self.run_troupe("cost", "--by", "cause", "--json", "--state", self.folder / "hurt-state")
        self.assert_status(cost, DONE)
        self.assertIn("fallback", {row["key"] for row in cost.json()})

    def test_fails_for_all_to_see_when_breaker_and_fallback_are_off(self):
        simulator = self.simulate(clouds.simulated(SCALE))
        config = callers(simulator.url)
        config["endpoints"]["defaults"]["breaker"]["enabled"] = False
        config["features"]["recap"]["route"] = {"fallback": False, "attempts_max": 1}
        end_watch = self.break_main_for_a_third(simulator, 68)
        ended = self.recap(self.write_config("bare.yaml", config), "bare")
        end_watch()
        self.assert_status(ended, NO_ENDPOINT)
        run = read_json(self.folder / "bare" / "run.json")
        show("endpoint_failure.without_mechanisms", run["state"])
        self.assertEqual(run["state"], "failed")
        self.assertIn("error", run)
        self.assertFalse((self.folder / "bare" / "recap.json").exists())
        self.assertEqual(self.breaker_moves("bare"), [])


if __name__ == "__main__":
    main()
