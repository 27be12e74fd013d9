"""The real binary on an empty SQLite database in a temporary folder, with simulated networks."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

START_SECONDS_MAX = 30
END_SECONDS_MAX = 20
COMMAND_SECONDS_MAX = 60


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def wait_until(is_so, what):
    deadline = time.monotonic() + START_SECONDS_MAX
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} took over {START_SECONDS_MAX} seconds")
        time.sleep(0.05)


class Server:
    """Runs while the `with` lasts; `end` tells whether it ended in order."""

    def __init__(self, binary, folder, clients):
        self.binary = binary
        self.folder = pathlib.Path(folder)
        self.port, self.networks_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = self.folder / "serve.log"
        self.mail_path = self.folder / "notifications.jsonl"
        config = self.folder / "balefire.toml"
        secrets = "\n".join(f"{name} = [{json.dumps(secret)}]" for name, secret in clients.items())
        config.write_text(
            f"""[http]
listen = "127.0.0.1:{self.port}"
[database]
url = "sqlite://{self.folder}/balefire.db"
[cbc]
endpoint_url = "http://127.0.0.1:{self.networks_port}"
[notifications]
kind = "file"
file = "{self.mail_path}"
[clients]
{secrets}
"""
        )
        self.environment = {**os.environ, "BALEFIRE_CONFIG": str(config)}
        self.processes = []

    def __enter__(self):
        try:
            self.command("migrate")
            listen = f"127.0.0.1:{self.networks_port}"
            self.start(["provider-sim", "--listen", listen], self.folder / "networks.log")
            self.serving = self.start(["serve"], self.log_path)
            wait_until(self.is_ready, "the start of balefire")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def start(self, arguments, log_path):
        log = log_path.open("wb")
        process = subprocess.Popen(
            [self.binary, *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.processes.append(process)
        return process

    def is_ready(self):
        if self.serving.poll() is not None:
            raise RuntimeError(f"balefire ended at once:\n{self.log_path.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/_api_status/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def command(self, *arguments, entering=None):
        """What a command answers in JSON; None where it prints nothing."""
        done = subprocess.run(
            [self.binary, *arguments, "--json"],
            env=self.environment,
            cwd=self.folder,
            input=entering or "",
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
        )
        if done.returncode:
            raise RuntimeError(f"balefire {' '.join(arguments)} failed: {done.stderr}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None

    def end(self):
        """Ends it, and says what was wrong with it: nothing, in an empty list."""
        faults = []
        if self.serving.poll() is None:
            self.serving.send_signal(signal.SIGTERM)
            try:
                code = self.serving.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                return [f"balefire did not end within {END_SECONDS_MAX} seconds"]
            if code != 0:
                faults.append(f"balefire ended with {code}")
        else:
            faults.append(f"balefire was gone before its end, with {self.serving.returncode}")
        lines = self.log_path.read_text(errors="replace").splitlines()
        told = [line for line in lines if "http.fault" in line or "panicked" in line]
        return faults + [f"its log: {line[:600]}" for line in told[:20]]

    def mails(self):
        """What was sent to people so far, oldest first."""
        if not self.mail_path.exists():
            return []
        return [json.loads(line) for line in self.mail_path.read_text().splitlines()]
