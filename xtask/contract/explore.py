"""Sends each operation of the OpenAPI document many requests, good ones and bad ones, and holds
every answer against the document.

No answer may be a 5xx and no connection may be dropped; status, content type, headers and body must
be as the document says. Requests are made by schemathesis from the document, by the seed; ids and
values that the server knows are put in their places, three times of four."""

import random
import shlex
import time
from collections import Counter

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import world as world_of

# What makes no sense here is left off: negative_data_rejection and positive_data_acceptance, since a
# schema describes and existing clients rely on what is taken beside it (docs/adr/0021); the checks of
# authentication and of other people's ids, which the tests of tenancy and permissions do for every
# route; unsupported_method, which the web tests do.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ANSWER_SECONDS_MAX = 15
# Of so many requests one has no token, and one a wrong one.
REQUESTS_PER_BAD_TOKEN = 16


class Exploration:
    """What was asked and answered so far."""

    def __init__(self, world, seed, good, bad):
        self.world, self.seed, self.good, self.bad = world, seed, good, bad
        self.classes, self.statuses = Counter(), {}
        self.requests = 0
        self.failures = {}
        self.slowest = (0.0, "nothing")

    def run(self, path):
        schema = schemathesis.openapi.from_path(path)
        operations = [found.ok() for found in schema.get_all_operations()]
        self.statuses = {operation.label: Counter() for operation in operations}
        for operation in operations:
            self.world.renew(operation.path)
            self.run_mode(operation, GenerationMode.POSITIVE, self.good)
            if operation.body or list(operation.iter_parameters()):
                self.run_mode(operation, GenerationMode.NEGATIVE, self.bad)

    def run_mode(self, operation, mode, examples):
        strategy = st.tuples(operation.as_strategy(generation_mode=mode), st.integers(0, 2**32))

        @hypothesis.seed(f"{self.seed} {operation.label} {mode}")
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=False,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(strategy)
        def ask(made):
            case, number = made
            self.ask(case, random.Random(number), mode)

        try:
            ask()
        except hypothesis.errors.Unsatisfiable:
            # No request of this operation is a bad one.
            pass

    def ask(self, case, chance, mode):
        fill(case, chance, self.world, mode)
        request, is_signed = self.prepare(case, chance)
        began = time.monotonic()
        label = case.operation.label
        try:
            answer = self.world.session.send(request, timeout=ANSWER_SECONDS_MAX)
        except requests.RequestException as error:
            self.requests += 1
            self.fail(label, f"no answer: {type(error).__name__}", request, str(error))
            return
        self.requests += 1
        self.slowest = max(self.slowest, (time.monotonic() - began, label))
        self.classes[answer.status_code // 100] += 1
        self.statuses[label][answer.status_code] += 1
        self.check(case, request, answer)
        if answer.ok and is_signed and mode is GenerationMode.POSITIVE:
            learn(self.world, case.operation.path, answer)

    def prepare(self, case, chance):
        case.headers.pop("Authorization", None)
        asked = case.as_transport_kwargs(base_url=self.world.server.url)
        for name in ("timeout", "verify", "allow_redirects", "cert", "proxies", "stream"):
            asked.pop(name, None)
        request = self.world.session.prepare_request(requests.Request(**asked))
        schemes = [name for one in case.operation.definition.raw["security"] for name in one]
        lot = chance.randrange(REQUESTS_PER_BAD_TOKEN)
        if not schemes or lot == 0:
            return request, not schemes
        person = self.person_for(case.operation.path, chance)
        token = self.world.sign(schemes[0], request, person)
        request.headers["Authorization"] = f"Bearer {token}{'x' if lot == 1 else ''}"
        return request, lot != 1

    def person_for(self, path, chance):
        world = self.world
        if path.endswith(("/approve", "/reject")):
            return chance.choice([world.approver, world.approver, world.author])
        return chance.choice([world.author, world.author, world.author, world.boss])

    def check(self, case, request, answer):
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            all_of_them = getattr(failure, "exceptions", [failure])
            for one in all_of_them:
                text = f"{one.title}: {one.message}"
                told = f"{text}\nanswered {answer.status_code}: {answer.text[:600]}"
                kind = f"{answer.status_code} {one.title}"
                self.fail(case.operation.label, kind, request, told)

    def fail(self, label, kind, request, text):
        """Keeps the first of each kind per operation, and counts the others."""
        key = (label, kind)
        count = self.failures[key][0] if key in self.failures else 0
        first = self.failures[key][1] if count else f"{text}\n{curl(request)}"
        self.failures[key] = (count + 1, first)

    def never_reached(self):
        return [label for label, seen in self.statuses.items() if not seen]

    def never_well(self):
        def is_well(seen):
            return any(200 <= status < 300 for status in seen)

        return [label for label, seen in self.statuses.items() if not is_well(seen)]


def fill(case, chance, world, mode):
    """Puts what the server knows in the places of ids and values."""

    def is_meant():
        return chance.randrange(4) > 0

    for name in list(case.path_parameters or {}):
        if mode is GenerationMode.NEGATIVE and chance.randrange(2):
            continue
        known = world.ids.get(name) or world.values.get(name)
        if known and is_meant():
            case.path_parameters[name] = chance.choice(known)
    if mode is GenerationMode.NEGATIVE:
        return
    for name in list(case.query or {}):
        known = world.ids.get(world_of.KINDS.get(name, name)) or world.values.get(name)
        if known and is_meant():
            case.query[name] = chance.choice(known)
    if case.media_type == "application/cap+xml" and is_meant():
        case.body = chance.choice([*world.values["cap"], world.write_cap()])
    elif isinstance(case.body, dict):
        # One body in eight stays as it was made.
        if chance.randrange(8):
            for name in list(case.body):
                if chance.randrange(12):
                    case.body[name] = replaced(name, case.body[name], chance, world)


def replaced(name, value, chance, world):
    known = world.ids.get(world_of.KINDS.get(name, name))
    if known and isinstance(value, list):
        return [chance.choice(known)]
    if known:
        return chance.choice(known)
    known = world.values.get(name)
    # A list of objects is no text, though it has the same name.
    if known and not (isinstance(value, list) and isinstance(known[0], str)):
        return chance.choice(known)
    return value


def learn(world, path, answer):
    """What was made by a request is what later ones may name."""
    if answer.status_code != 201:
        return
    made = answer.json()
    made = made.get("data", made) if isinstance(made, dict) else None
    kinds = {"broadcast-message": "alert", "template": "template", "template-folder": "folder"}
    kind = kinds.get(path.rsplit("/", 1)[-1])
    if kind and isinstance(made, dict) and "id" in made:
        world.ids[kind].append(made["id"])


def curl(request):
    """The request as a line for a shell. Its token has lapsed: put a new one there."""
    parts = ["curl", "-sS", "-X", request.method, shlex.quote(request.url)]
    for name, value in request.headers.items():
        value = value.decode("latin-1") if isinstance(value, bytes) else value
        if name not in ("Content-Length", "Connection", "Accept-Encoding", "User-Agent"):
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        try:
            shown = shlex.quote(body.decode())
        except UnicodeDecodeError:
            shown = "$'" + "".join(f"\\x{byte:02x}" for byte in body) + "'"
        parts += ["--data-binary", shown]
    return " ".join(parts)


