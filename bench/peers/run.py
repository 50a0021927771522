#!/usr/bin/env python3
"""Runs the shapes of `./dev bench workflow` on Restate and DBOS: starts their servers on loopback, ends them by their ids.

run.py [restate] [dbos] [--seconds S] [--filter peer.dbos.s3]. What npm brings goes to build/peers, never into the sources."""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "apps"))
READY_WITHIN = 120


def install(home):
    """Copies the scripts beside the packages, which are fetched once."""
    home.mkdir(parents=True, exist_ok=True)
    for file in HERE.glob("*.mjs"):
        shutil.copy(file, home)
    wanted = (HERE / "package.json").read_text()
    had = home / "package.json"
    if (home / "node_modules").is_dir() and had.exists() and had.read_text() == wanted:
        return
    had.write_text(wanted)
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home, check=True, stdout=sys.stderr)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, ready):
    given_up = time.monotonic() + READY_WITHIN
    while time.monotonic() < given_up:
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"{what} did not answer within {READY_WITHIN} s")


def listens(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def end(children):
    for child in reversed(children):
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def restate(home, env):
    ingress, admin, node, service = (free_port() for _ in range(4))
    server = next(home.glob("node_modules/@restatedev/restate-server*/**/restate-server"), None)
    program = [str(server)] if server and os.access(server, os.X_OK) else [str(home / "node_modules/.bin/restate-server")]
    children = []
    with tempfile.TemporaryDirectory(prefix="troupe-restate-") as folder, open(home / "restate.log", "ab") as log:
        addresses = {"RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}", "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
                     "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}", "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
                     "RESTATE_BASE_DIR": folder, "DO_NOT_TRACK": "1"}
        try:
            children.append(subprocess.Popen(program, env={**os.environ, **addresses}, cwd=folder, stdout=log, stderr=log))
            children.append(subprocess.Popen(["node", "restate_service.mjs", str(service)], cwd=home, stdout=log, stderr=log))
            wait_for("Restate's admin", lambda: urllib.request.urlopen(f"http://127.0.0.1:{admin}/health", timeout=1).status == 200)
            wait_for("Restate's ingress", lambda: listens(ingress))
            wait_for("the service", lambda: listens(service))
            return subprocess.run(["node", "restate.mjs", f"http://127.0.0.1:{admin}", f"http://127.0.0.1:{ingress}",
                                   f"http://127.0.0.1:{service}"], cwd=home, env=env).returncode
        finally:
            end(children)


def dbos(home, env):
    from postgres import Postgres, find_server
    if find_server() is None:
        sys.exit("DBOS needs a PostgreSQL: apt install postgresql")
    server = Postgres()
    try:
        # Its driver wants a URL: the socket's folder goes into the query.
        url = f"postgresql://troupe@localhost/dbos?host={server.folder}"
        return subprocess.run(["node", "dbos.mjs"], cwd=home, env={**env, "TROUPE_BENCH_STORE": url}).returncode
    finally:
        server.close()


def main():
    peers = {"restate": restate, "dbos": dbos}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", nargs="*", choices=[*peers, []], help="default: both")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--filter", default="")
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "peers")
    asked = parser.parse_args()
    # So that the servers are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    install(asked.home)
    env = {**os.environ, "TROUPE_BENCH_SECONDS": str(asked.seconds), "TROUPE_BENCH_FILTER": asked.filter}
    sys.exit(max(peers[name](asked.home, env) for name in asked.peer or peers))


if __name__ == "__main__":
    main()
