"""Installs the npm packages of package.json into a folder, once, whoever asks for it at the same time.

install.py FOLDER     exit status 0 when they are there; otherwise says why they are not
"""
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALL_SECONDS_MAX = 240


def installed(folder):
    """None, or why the packages are not there."""
    if not shutil.which("node"):
        return "node is not installed"
    wanted = (HERE / "package.json").read_text(encoding="utf-8")
    mark = folder / "installed.json"
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return None
    if os.environ.get("TROUPE_OFFLINE") == "1":
        return f"TROUPE_OFFLINE=1 and the packages are not in {folder}"
    npm = shutil.which("npm")
    if not npm:
        return "npm is not installed"
    shutil.copy(HERE / "package.json", folder)
    try:
        done = subprocess.run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"],
                              cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return "npm install took too long"
    if done.returncode != 0:
        return f"npm install failed: {done.stderr.strip().splitlines()[-1:]}"
    mark.write_text(wanted, encoding="utf-8")
    return None


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        why = installed(folder)
    if why:
        print(f"SKIPPED LOUDLY: {why}", flush=True)
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
