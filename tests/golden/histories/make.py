#!/usr/bin/env python3
"""Makes the histories in this folder anew: runs of our own examples, as `troupe runs export --tree` prints them.

    TROUPE_BIN=build/test/troupe python3 tests/golden/histories/make.py [NAME]...

Every build makes these runs again, offline (tests/apps/histories_test.py). Where a workflow, a prompt or the engine
is meant to decide otherwise from now on, make them anew and look at what changed.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PROGRAM = str(Path(os.environ.get("TROUPE_BIN", ROOT / "build" / "test" / "troupe")).resolve())
# Histories name their inputs by absolute paths: this one is the same on every machine.
LINK = Path("/tmp/troupe-histories")
EXAMPLES = LINK / "examples"

RUNS = {
    "recap": ("run", "recap", "--input", EXAMPLES / "workspace", "--set", "channels=incidents,random"),
    # Dies after its second call was announced, and is taken up again.
    "recap_resumed": ("run", "recap", "--input", EXAMPLES / "workspace", "--set", "channels=incidents"),
    # Is over its budget before it is through.
    "recap_poor": ("run", "recap", "--input", EXAMPLES / "workspace", "--set", "channels=incidents,random,sales",
                   "--set", "parallel_max=1", "--budget", "calls=3"),
    "summary": ("run", "summary", "--input", EXAMPLES / "workspace", "--set", "channel=incidents"),
    "research": ("run", "research", "--input", LINK / "tests" / "golden" / "histories" / "corpus.jsonl",
                 "--set", "question=Who repaired the lamp of the north lighthouse, and in which year?",
                 "--set", "subagents_max=2", "--budget", "calls=40,subagents=4"),
    "search": ("run", "search", "--input", LINK / "tests" / "golden" / "histories" / "corpus.jsonl",
               "--set", "question=Who repaired the lamp of the north lighthouse, and in which year?"),
    "brief": ("run", EXAMPLES / "declared" / "brief.yaml", "--set", f"topics={EXAMPLES / 'declared' / 'topics.txt'}"),
    # Waits for a person, and is interrupted while it waits.
    "approval": ("run", EXAMPLES / "declared" / "approval.yaml", "--set", "text=The north lamp is dark on Monday."),
}


def run(name, folder):
    command = [PROGRAM, *map(str, RUNS[name]), "--out", "out", "--run-id", name, "--quiet"]
    if name == "approval":
        process = subprocess.Popen(command, cwd=folder)
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        return
    if name == "recap_resumed":
        subprocess.run(command, cwd=folder, env={**os.environ, "CRASHPOINT": "call.after_intent:2"}, check=False)
    subprocess.run(command, cwd=folder, check=False)


def main():
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(ROOT)
    for name in sys.argv[1:] or RUNS:
        with tempfile.TemporaryDirectory() as folder:
            run(name, folder)
            told = subprocess.run([PROGRAM, "runs", "export", name, "--tree"], cwd=folder, check=True, capture_output=True)
            (HERE / f"{name}.jsonl").write_bytes(told.stdout)
            print(f"{name}: {len(told.stdout.splitlines())} entries, {len(told.stdout)} bytes")
    LINK.unlink()


if __name__ == "__main__":
    main()
