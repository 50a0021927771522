"""A PostgreSQL of the test's own: private folder, a socket in it and no port, fsync on. Ended by its process id."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from troupe_process import wait_until


def find_server():
    """The folder of the newest server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


class Postgres:
    def __init__(self):
        self.bin = find_server()
        self.folder = Path(tempfile.mkdtemp(prefix="troupe-pg-"))
        self.user = None
        if os.geteuid() == 0:
            # Root may not run PostgreSQL.
            self.user = "postgres" if "postgres" in [each.pw_name for each in pwd.getpwall()] else "nobody"
            shutil.chown(self.folder, self.user)
        subprocess.run([self.bin / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "troupe", "--no-sync", "-E",
                        "UTF8", "--locale=C.UTF-8"], check=True, stdout=subprocess.DEVNULL, user=self.user)
        self.log = open(self.folder / "log", "ab")
        self.start()

    def start(self):
        self.child = subprocess.Popen(
            [self.bin / "postgres", "-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses=", "-c",
             "fsync=on", "-c", "max_wal_size=512MB"], stdout=self.log, stderr=self.log, user=self.user)
        wait_until(lambda: subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder]).returncode == 0,
                   "PostgreSQL answers")

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast; SIGQUIT: immediate, as if the machine had died."""
        self.child.send_signal(how)
        self.child.wait(timeout=60)

    def close(self):
        self.stop()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self):
        return f"host={self.folder} user=troupe dbname=postgres"
