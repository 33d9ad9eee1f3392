#!/usr/bin/env python3
"""Validates JSON answers against schemas/<name>.schema.json (JSON Schema 2020-12).

Needs `pip install jsonschema`. Usage: validate_json.py FILE-or-DIR...
Each answer names its schema as "git-baseline/<name>/1". Ends with 1 when an answer is not valid, and with 2 when
nothing was there to validate.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"


def validators():
    for path in SCHEMAS.glob("*.schema.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
        yield schema["$id"], Draft202012Validator(schema)


def faults(path, known):
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        yield f"no JSON: {error}"
        return
    name = answer.get("schema") if isinstance(answer, dict) else None
    if name not in known:
        yield f"no schema of the name {name!r}"
        return
    for error in known[name].iter_errors(answer):
        yield f"{name} at {error.json_path}: {error.message[:200]}"


def main(arguments):
    known = dict(validators())
    files = []
    for argument in map(pathlib.Path, arguments):
        files.extend(sorted(argument.glob("*.json")) if argument.is_dir() else [argument])
    bad = 0
    for path in files:
        for fault in faults(path, known):
            bad += 1
            print(f"{path}: {fault}")
    print(f"{len(files)} answers, {len(known)} schemas, {bad} faults")
    if not files:
        return 2
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
