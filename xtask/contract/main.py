"""Holds a running Balefire against its OpenAPI document. `cargo xtask contract` starts it."""

import argparse
import json
import pathlib
import sys
import tempfile
import time

from openapi_spec_validator import OpenAPIV31SpecValidator

import page
from explore import Exploration
from server import Server
from world import CLIENTS, World


def lint(path):
    """What OpenAPI 3.1 says against the document."""
    validator = OpenAPIV31SpecValidator(json.loads(path.read_text()))
    return [f"{path}: {fault.message[:600]}" for fault in validator.iter_errors()]


def explore(arguments, folder):
    """Asks everything; the faults that were found."""
    server = Server(arguments.binary, folder, CLIENTS)
    with server:
        exploration = Exploration(World(server), arguments.seed, arguments.good, arguments.bad)
        exploration.run(arguments.document)
        faults = server.end()
    for (label, kind), (count, first) in exploration.failures.items():
        faults.append(f"{label}: {kind} ({count} times)\n{first}")
    faults += [f"{label} was never asked" for label in exploration.never_reached()]
    for label in exploration.never_well():
        print(f"contract: no 2xx: {label}: {dict(exploration.statuses[label])}")
    classes = ", ".join(f"{n} of {c}xx" for c, n in sorted(exploration.classes.items()))
    seconds, slowest = exploration.slowest
    print(f"contract: the slowest answer took {seconds:.2f} s: {slowest}")
    well = len(exploration.statuses) - len(exploration.never_well())
    summary = (
        f"{exploration.requests} requests ({classes}); "
        f"{well} of {len(exploration.statuses)} operations were answered with a 2xx"
    )
    if exploration.requests < arguments.requests_min:
        faults.append(f"only {exploration.requests} requests were made")
    if well < arguments.well_min:
        faults.append(f"only {well} operations were answered with a 2xx")
    return faults, summary


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--good", type=int, default=16, help="good requests per operation")
    parser.add_argument("--bad", type=int, default=6, help="bad requests per operation")
    parser.add_argument("--requests-min", type=int, default=2000)
    parser.add_argument("--well-min", type=int, default=120, help="operations with a 2xx")
    arguments = parser.parse_args()
    arguments.root = arguments.root.resolve()
    arguments.document = arguments.root / "docs/openapi.json"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="balefire-contract-") as folder:
        faults, summary = explore(arguments, folder)
    faults = lint(arguments.document) + faults
    requirements = (arguments.root / "xtask/contract-requirements.txt").read_text()
    with tempfile.TemporaryDirectory(prefix="balefire-page-") as folder:
        python = pathlib.Path(sys.executable)
        here = pathlib.Path(folder)
        faults += page.run(arguments.root, arguments.binary, python, here, requirements)
    for fault in faults:
        print(f"contract: {fault}\n")
    took = time.monotonic() - began
    print(f"contract: seed {arguments.seed}: {summary}; {len(faults)} faults; {took:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
