"""What every whole-process test needs: the program run and watched, clean folders, the simulator's control surface.

The program is found through TROUPE_BIN. Everything listens on loopback at ports the system chose.
"""
import http.client
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "workspace"
# All three days of the sample in small pieces: about seventy calls.
DAYS = ("--set", "from=2026-03-10", "--set", "to=2026-03-12", "--set", "chunk_tokens_max=400")
DATA = Path(os.environ.get("TROUPE_DATA", ROOT.parent / "shared" / "data"))

DONE, USAGE, BAD_INPUT, INPUT_MISSING, NO_ENDPOINT = 0, 64, 65, 66, 69
OUR_BUG, INTERRUPTED, BAD_CONFIG = 70, 75, 78

# Instrumented builds are slower and larger; figures are then printed, not judged.
SLOW_BUILD = os.environ.get("TROUPE_SLOW_BUILD") == "1"


def program():
    return os.environ.get("TROUPE_BIN", str(ROOT / "build" / "dev" / "troupe"))


def show(name, value, unit=""):
    """One figure of a test, on a line of its own."""
    print(f"{name} {value} {unit}".rstrip(), flush=True)


def wait_until(condition, what, seconds=30.0):
    """The condition's first true value. Looks again often instead of sleeping for a guessed time."""
    nothing = threading.Event()
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        nothing.wait(0.01)


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


class Ended:
    """How a command ended: status (negative: killed by that signal), what it printed, what it took."""

    def __init__(self, status, out, err, seconds, rss_mb):
        self.status, self.out, self.err, self.seconds, self.rss_mb = status, out, err, seconds, rss_mb

    def json(self):
        return json.loads(self.out)


class Process:
    """A program going on beside the test. Its lines are read as they come; killed by its own id only."""

    def __init__(self, arguments, folder):
        self.began = time.monotonic()
        self.out, self.err, self.lines = [], [], queue.Queue()
        self.child = subprocess.Popen([program(), *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        self.readers = [threading.Thread(target=self._read, args=(self.child.stdout, self.out, self.lines)),
                        threading.Thread(target=self._read, args=(self.child.stderr, self.err, None))]
        for reader in self.readers:
            reader.daemon = True
            reader.start()

    @staticmethod
    def _read(stream, into, lines):
        for line in stream:
            into.append(line)
            if lines is not None:
                lines.put(line)
        if lines is not None:
            lines.put(None)

    def ready(self, seconds=30.0):
        """The JSON line a server prints when it can be talked to."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            line = None
        if line is None:
            raise AssertionError(f"no ready line; stderr: {''.join(self.err)}")
        return json.loads(line)

    def going(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def kill(self):
        """kill -9, and gone when this returns."""
        self.child.kill()
        return self.wait()

    def wait(self, seconds=60.0):
        # wait4 would need the child unreaped; the peak is read from /proc by those who want it of a running one.
        status = self.child.wait(timeout=seconds)
        for reader in self.readers:
            reader.join(timeout=10)
        return Ended(status, "".join(self.out), "".join(self.err), time.monotonic() - self.began, 0)


class Simulator:
    """The control surface of a running `troupe simulate`."""

    def __init__(self, process):
        self.process = process
        self.url = process.ready()["url"]

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {path}: {answer.status} {text!r}")
        return json.loads(text)

    def stats(self):
        return self._ask("GET", "/control/stats")

    def calls(self):
        """Every call so far: {"endpoint", "request", "status"}, `request` the same for the same body."""
        told = self._ask("GET", "/control/calls")
        assert told["dropped"] == 0, "the simulator's call log is too short for this test"
        return told["calls"]

    def total(self):
        return sum(each["calls"] for each in self.stats()["endpoints"].values())

    def set_faults(self, endpoint, faults):
        self._ask("POST", "/control/faults", json.dumps({"endpoint": endpoint, "faults": faults}))


class ProcessTest(unittest.TestCase):
    """A folder of its own, and no process left behind."""

    maxDiff = 2000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="troupe-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.started = []
        self.addCleanup(self._end_all)

    def _end_all(self):
        for process in self.started:
            if process.going():
                process.kill()
            process.child.stdout.close()
            process.child.stderr.close()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def write_config(self, name, config):
        """JSON is YAML."""
        return self.write(name, json.dumps(config, indent=1))

    def start(self, *arguments):
        process = Process(arguments, self.folder)
        self.started.append(process)
        return process

    def run_troupe(self, *arguments, seconds=120.0, folder=None, before=None):
        """Runs a command to its end. `before` runs in the child (to limit it)."""
        began = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen([program(), *map(str, arguments)], cwd=folder or self.folder, stdout=out,
                                     stderr=err, stdin=subprocess.DEVNULL, preexec_fn=before)
            guard = threading.Timer(seconds, child.kill)
            guard.start()
            _, status, used = os.wait4(child.pid, 0)
            guard.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - began
            texts = []
            for each in (out, err):
                each.seek(0)
                texts.append(each.read().decode(errors="replace"))
        if took >= seconds:
            self.fail(f"{arguments} did not end within {seconds} s; stderr: {texts[1]}")
        return Ended(child.returncode, texts[0], texts[1], took, used.ru_maxrss / 1024)

    def simulate(self, simulator):
        config = self.write_config("simulator.yaml", {"simulator": {"listen": "127.0.0.1:0", **simulator}})
        return Simulator(self.start("simulate", "--config", config))

    def assert_status(self, ended, status):
        self.assertEqual(ended.status, status, f"stdout: {ended.out[-1500:]}\nstderr: {ended.err[-1500:]}")

    def assert_refused(self, ended, status, *words):
        """The right status, one line of explanation that holds every word, and nothing on stdout."""
        self.assert_status(ended, status)
        self.assertEqual(ended.out, "")
        lines = [line for line in ended.err.splitlines() if line]
        self.assertEqual(len(lines), 1, ended.err)
        self.assertLess(len(lines[0]), 600)
        for word in words:
            self.assertIn(word, lines[0])


def terminate(process):
    process.send(signal.SIGTERM)
    return process.wait()


main = unittest.main
