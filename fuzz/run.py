"""Runs the fuzz targets one after the other, each for a bounded time, and says how far each came.

    python3 fuzz/run.py [--seconds N] [TARGET...]

Inputs start from the samples, which are written to `fuzz/corpus` anew each time, and from what was found before. A
finding ends the run with status 1; its input stands in `fuzz/artifacts`. Make it a sample or a test before fixing it.
Needs a C++ compiler, for libFuzzer's own half, and the pinned toolchain, no other.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
CORPUS = HERE / "corpus"

# target: its dictionary, and the longest input worth trying.
TARGETS = {
    "lines": ("audit", 32_768),
    "split": ("audit", 16_384),
    "delivery": ("audit", 32_768),
    "sift": ("audit", 32_768),
    "aws_auth": ("yaml", 8_192),
    "klog": ("text", 8_192),
    "authenticator": ("text", 8_192),
    "cloudtrail": ("cloudtrail", 16_384),
    "exceptions": ("yaml", 8_192),
}


def cases():
    """Every case of every detection, as the texts of its lines, those before it first."""
    for file in sorted((TOP / "samples/detections").glob("*.json")):
        for case in json.loads(file.read_text()):
            lines = case.get("before", []) + case["lines"]
            yield [line if isinstance(line, str) else json.dumps(line, separators=(",", ":")) for line in lines]


def recorded(name):
    for file in sorted((TOP / "samples/recorded").glob(f"*/{name}")):
        yield file.read_text().splitlines()


def is_call(line):
    return "eventSource" in line


def document(lines):
    events = [{"id": str(at), "timestamp": 1_795_416_561_478 + at, "message": line} for at, line in enumerate(lines)]
    head = {"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/aws/eks/prod/cluster"}
    return json.dumps({**head, "logStream": "kube-apiserver-audit-0a1b", "subscriptionFilters": ["f"], "logEvents": events})


def aws_auth():
    """The sections of every `aws-auth` in the samples, parted by a NUL."""
    for lines in cases():
        for line in lines:
            if "aws-auth" not in line or not line.startswith("{"):
                continue
            try:
                event = json.loads(line)
            # Some samples are nested as deep as no ConfigMap is.
            except (ValueError, RecursionError):
                continue
            for body in ("requestObject", "responseObject"):
                data = (event.get(body) or {}).get("data") if isinstance(event.get(body), dict) else None
                if isinstance(data, dict):
                    yield "\0".join(str(data.get(name, "")) for name in ("mapRoles", "mapUsers", "mapAccounts"))


def exceptions():
    """Every file of exceptions in the docs and the tests."""
    yield from re.findall(r"```yaml\n(exceptions:.*?)```", (TOP / "docs/exceptions.md").read_text(), re.S)
    head = "exceptions:\n- id: a\n  reason: r\n  owner: o\n  expires: 2030-01-01\n"
    for fields in ("actor: 'ops*'", "detections: [rbac-role-changed]\n  max_severity: critical", "verbs: [create, patch]",
                   "object: rolebindings/a-*\n  namespace: team-*\n  cluster: prod"):
        yield f"{head}  {fields}\n"


def seeds(target):
    if target in ("lines", "split"):
        for lines in cases():
            if target == "lines" or all(line.startswith("{") and not is_call(line) for line in lines):
                yield "\n".join(lines)
        for lines in recorded("audit.ndjson"):
            yield from ("\n".join(lines[at:at + 8]) for at in range(0, len(lines), 8))
    elif target == "delivery":
        for lines in cases():
            text = document([line for line in lines if not is_call(line)])
            yield text
            packed = gzip.compress(text.encode(), mtime=0)
            yield packed
            yield base64.b64encode(packed)
        yield document([]).replace("DATA", "CONTROL")
    elif target == "sift":
        # The first byte chooses the window.
        for lines in cases():
            yield "\0" + document([line for line in lines if not is_call(line)])
        for lines in recorded("audit.ndjson"):
            yield from ("\3" + document(lines[at:at + 8]) for at in range(0, len(lines), 8))
    elif target == "aws_auth":
        yield from aws_auth()
    elif target == "klog":
        for lines in cases():
            if any(re.match(r"[IWEF]\d{4} ", line) for line in lines):
                yield "\n".join(lines)
        for lines in recorded("kube-apiserver.log"):
            yield from ("\n".join(lines[at:at + 20]) for at in range(0, len(lines), 20))
    elif target == "authenticator":
        for lines in cases():
            if any("level=" in line for line in lines):
                yield "\n".join(lines)
        for lines in recorded("authenticator.log"):
            yield from ("\n".join(lines[at:at + 20]) for at in range(0, len(lines), 20))
    elif target == "cloudtrail":
        for lines in [*cases(), *recorded("cloudtrail.json")]:
            calls = [line for line in lines if is_call(line)]
            if calls:
                yield "\n".join(calls)
    elif target == "exceptions":
        yield from exceptions()


def write_seeds(target):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        data = seed if isinstance(seed, bytes) else seed.encode()
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def build(targets):
    environment = {**os.environ, "RUSTC_WRAPPER": str(HERE / "instrument")}
    bins = [word for target in targets for word in ("--bin", target)]
    subprocess.run(["cargo", "build", "--release", "--locked", *bins], cwd=HERE, env=environment, check=True)
    built = os.environ.get("CARGO_TARGET_DIR")
    return pathlib.Path(built).resolve() if built else HERE / "target"


def run(target, binary, seconds):
    """Fuzzes one target. Returns whether it held, and a line that says how far it came."""
    dictionary, longest = TARGETS[target]
    artifacts = HERE / "artifacts" / target
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [
        binary, f"-max_total_time={seconds}", f"-max_len={longest}", f"-dict={HERE}/dictionaries/{dictionary}.dict",
        "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={artifacts}/", CORPUS / target,
    ]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, errors="replace")
    executed = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    edges = re.findall(r"cov: (\d+)", done.stderr)
    far = f"{int(executed[1]):,} executions" if executed else "no count of executions"
    if done.returncode:
        print(done.stderr[-4000:], file=sys.stderr)
    return done.returncode == 0, f"{target}: {far} in {seconds} s, {edges[-1] if edges else 0} edges"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    arguments = parser.parse_args()
    targets = arguments.targets or list(TARGETS)
    unknown = sorted(set(targets) - set(TARGETS))
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}")
    CORPUS.mkdir(exist_ok=True)
    # What the exceptions are tried on.
    (CORPUS / "every-detection.ndjson").write_text("".join(f"{line}\n" for lines in cases() for line in lines))
    for target in targets:
        write_seeds(target)
    built = build(targets)
    held = True
    for target in targets:
        good, far = run(target, built / "release" / target, arguments.seconds)
        held &= good
        print(f"{'held' if good else 'FOUND'}  {far}", flush=True)
    sys.exit(0 if held else f"inputs that broke a promise are in {HERE / 'artifacts'}")


if __name__ == "__main__":
    main()
