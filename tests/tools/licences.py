#!/usr/bin/env python3
"""Checks that every crate in Cargo.lock has a licence that deny.toml allows, and comes from a registry.

cargo-deny says more, but takes minutes to build; this reads the same list and is quick enough for every run.
"""

import json
import re
import subprocess
import sys
import tomllib

with open("deny.toml", "rb") as file:
    policy = tomllib.load(file)
allowed = set(policy["licenses"]["allow"])
banned = {entry["name"]: entry["reason"] for entry in policy["bans"]["deny"]}
metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--locked", "--format-version", "1"]))


def permits(expression: str) -> bool:
    """Evaluates an SPDX expression of ANDs and ORs; a slash is the old spelling of OR."""
    words = re.findall(r"\(|\)|AND|OR|[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.+-]+)?", expression.replace("/", " OR "))
    python = " ".join({"AND": "and", "OR": "or", "(": "(", ")": ")"}.get(word, str(word in allowed)) for word in words)
    return eval(python, {"__builtins__": {}})  # only True, False, and, or, and brackets can stand there


wrong = []
for package in metadata["packages"]:
    name, licence = f"{package['name']} {package['version']}", package["license"] or ""
    if package["source"] is not None and not package["source"].startswith("registry+"):
        wrong.append(f"{name}: comes from {package['source']}")
    if not licence or not permits(licence):
        wrong.append(f"{name}: licence {licence or 'not stated'} is not in deny.toml")
    if package["name"] in banned:
        wrong.append(f"{name}: banned, since {banned[package['name']]}")
print("\n".join(wrong) or f"{len(metadata['packages'])} crates, all with a licence of deny.toml, all from a registry")
sys.exit(1 if wrong else 0)
