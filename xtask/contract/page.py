"""Runs the blocks of docs/api/README.md as a developer would, one after the other in one shell."""

import os
import re
import signal
import subprocess

from server import free_port

SECONDS_MAX = 60
# What the page's commands of installing are here, where all is installed already.
INSTALLING = "python3 -m venv client\n"


def run(root, binary, python, folder, requirements):
    """What is wrong with the page: nothing, in an empty list."""
    page = (root / "docs/api/README.md").read_text()
    program = re.search(r"^```python\n(.*?)^```", page, re.S | re.M).group(1)
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.S | re.M)
    ports = {"127.0.0.1:6011": f"127.0.0.1:{free_port()}", "127.0.0.1:9010": f"127.0.0.1:{free_port()}"}
    faults = []
    script = "\n".join(f"echo @@ {number}\n{block}" for number, block in enumerate(blocks))
    script, count = re.subn(r"cargo build [^&]*&& export PATH=\S+\n", "", script)
    faults += [] if count == 1 else ["docs/api: the line that builds is not where it was"]
    pinned = re.search(r"^client/bin/pip install (\S+)\n", script, re.M)
    if not pinned or pinned.group(1) not in requirements.split():
        faults.append("docs/api: pip installs another version than xtask/contract-requirements.txt")
    script = re.sub(r"^client/bin/pip install .*\n", "", script, flags=re.M)
    here = f"ln -s {python.parent.parent} client\n"
    script = script.replace(INSTALLING, here)
    script = script.replace("docs/openapi.json", str(root / "docs/openapi.json"))
    # Who types is slower than the start.
    ready = "http://127.0.0.1:6011/_api_status/ready"
    wait = f"curl -sSf --retry 100 --retry-delay 1 --retry-connrefused -o ready.json {ready}\n"
    script = script.replace("balefire serve &\n", f"balefire serve >serve.log 2>&1 &\n{wait}")
    script = script.replace("provider-sim --listen", "provider-sim >networks.log 2>&1 --listen")
    for usual, free in ports.items():
        script, program = script.replace(usual, free), program.replace(usual, free)
    (folder / "first_alert.py").write_text(program)
    answered = execute(script, folder, binary, ports["127.0.0.1:6011"])
    return faults + judge(answered)


def execute(script, folder, binary, listen):
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "balefire").symlink_to(binary)
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "BALEFIRE__HTTP__LISTEN": listen,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # A session of its own, so that what the page starts behind it ends with it.
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        # Its end, and not the end of its output, which what runs behind it keeps open.
        shell.wait(SECONDS_MAX)
    except subprocess.TimeoutExpired:
        pass
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
    answered = shell.communicate()[0]
    return answered + f"\n@@ ended with {shell.returncode}\n"


def judge(answered):
    wanted = {
        "the document that curl posts waits": r'"status":"pending-approval"',
        "its approval is told": r"(?s)@@ 3\n.*broadcasting",
        "every network takes it": r"(?s)@@ 3\n(?:.*?1 attempt\(s\)  acknowledged){4}",
        "the client's document waits": r"(?m)^[0-9a-f-]{36} pending-approval$",
        "the client approves it": r"(?m)^[0-9a-f-]{36} broadcasting$",
        "the shell ends well": r"(?m)^@@ ended with 0$",
    }
    missing = [what for what, pattern in wanted.items() if not re.search(pattern, answered)]
    return [f"docs/api: not so: {what}\n{answered[-3000:]}" for what in missing]
