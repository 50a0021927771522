"""A real disk that is full: a file system in memory of a fixed size, in a mount namespace of this test's own. The command
says so and ends; with room again the same command ends the run as if nothing had been.

Where no namespace may be made, a bound on the size of a process's files takes its place: that is an error of writing
(EFBIG) and no full disk (ENOSPC), and the test says so."""
import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import unittest

import clouds
from troupe_process import BAD_CONFIG, DONE, INPUT_MISSING, SAMPLE, ProcessTest, main, read_json, show

INSIDE = "TROUPE_DISK_FULL_INSIDE"
# Of the size of the journal when all is done.
SHARES = (0.05, 0.6, 1.0, 1.6, 1.8, 2.0, 2.2, 2.3, 2.4, 2.5)
PROBE = 'mount -t tmpfs -o size=64k tmpfs "$1"'


def may_mount():
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", PROBE, "sh", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


class RealDisk:
    """A tmpfs over the folder: it fills up as a disk does."""

    kind = "ENOSPC of a tmpfs"
    words = "the disk is full"

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self._mount("size=1m")

    def _mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder], check=True)

    def limit(self, size):
        self._mount(f"remount,size={size}")

    def before(self):
        return None

    def close(self):
        subprocess.run(["umount", self.folder], check=False)


class FileSizes:
    """RLIMIT_FSIZE on the process: no single file may grow beyond."""

    kind = "EFBIG of RLIMIT_FSIZE, since no file system could be mounted"
    words = "the disk could not be read or written"

    def __init__(self, folder):
        self.size = resource.RLIM_INFINITY
        folder.mkdir()

    def limit(self, size):
        self.size = int(size)

    def before(self):
        def bound():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.size))

        return bound

    def close(self):
        pass


class DiskFull(ProcessTest):
    def command(self, run_id, state):
        simulated = clouds.simulated(0.02, alike=True)
        features = {"recap": {"hierarchy": ["chat"], "class": "batch", "deadline": "2m"}}
        config = self.write_config("config.yaml", clouds.callers("simulator", 4, alike=True, simulator=simulated,
                                                                 features=features, store={"kind": "sqlite"}))
        return ("run", "recap", "--config", config, "--input", SAMPLE, "--set", "chunk_tokens_max=400", "--out",
                self.folder / run_id, "--state", state, "--run-id", run_id, "--quiet")

    def used(self, state):
        """Bytes of the journal itself, whether its log is folded into the file yet or not."""
        with contextlib.closing(sqlite3.connect(state / "troupe.db")) as db:
            return db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]

    def recorded(self, run_id, state, known=True):
        """Steps with a result; none of them is begun again. The disk may have been full before the run was known."""
        told = self.run_troupe("runs", "export", run_id, "--config", self.folder / "config.yaml", "--state", state)
        if not known and told.status == INPUT_MISSING:
            return set()
        self.assert_status(told, DONE)
        results = set()
        for entry in map(json.loads, told.out.splitlines()):
            if entry["kind"] == "intent":
                self.assertNotIn(entry["step"], results, "bought although it was recorded")
            elif entry["kind"] == "result":
                self.assertNotIn(entry["step"], results, "recorded twice")
                results.add(entry["step"])
        return results

    def test_says_so_and_goes_on_when_there_is_room(self):
        calm = self.folder / "calm-state"
        self.assert_status(self.run_troupe(*self.command("calm", calm)), DONE)
        whole, needed = read_json(self.folder / "calm" / "recap.json"), self.used(calm)
        kind, midway = (RealDisk if os.environ.get(INSIDE) else FileSizes), 0
        # The log comes on top of the file: what is too little for the tables, and what is enough for some steps.
        for number, share in enumerate(SHARES):
            with self.subTest(share=share):
                midway += self.fill_up(kind, f"full-{number}", int(needed * share), whole)
        self.assertGreater(midway, 0, "no run was stopped with steps recorded: the sizes are not what they were")
        show("disk_full", f"{kind.kind}: {len(SHARES)} sizes, {midway} runs stopped midway, every one ended like the calm one")

    def fill_up(self, kind, run_id, size, whole):
        """How many runs (0 or 1) had steps recorded when the disk was full."""
        state = self.folder / f"{run_id}-state"
        disk = kind(state)
        self.addCleanup(disk.close)
        disk.limit(size)
        command = self.command(run_id, state)
        ended = self.run_troupe(*command, before=disk.before())
        self.assert_status(ended, BAD_CONFIG)
        self.assertIn(disk.words, ended.err)
        disk.limit(64 << 20)
        began = (state / "troupe.db").exists() and (state / "troupe.db").stat().st_size > 0
        before = self.recorded(run_id, state, known=False) if began else set()
        self.assert_status(self.run_troupe(*command), DONE)
        self.assertEqual(read_json(self.folder / run_id / "recap.json"), whole)
        self.assertLessEqual(before, self.recorded(run_id, state))
        checked = self.run_troupe("runs", "check", "--config", self.folder / "config.yaml", "--state", state)
        self.assert_status(checked, DONE)
        return 1 if before else 0


if __name__ == "__main__":
    if not os.environ.get(INSIDE) and may_mount():
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-B", *sys.argv])
    main()
