#!/usr/bin/env python3
"""Reads SARIF logs by the model that pydantic-sarif generates from the schema of SARIF 2.1.0.

Needs `pip install pydantic-sarif`. Usage: validate_sarif.py FILE...
Ends with 1 when a log is not valid, and with 2 when nothing was there to validate. What the generated model lets pass
and the standard does not is asked for here: unknown members, places of rules, and URIs.
"""

import json
import pathlib
import re
import sys

from pydantic import BaseModel, ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

URI = re.compile(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+")


def unknown(value, where="$"):
    """Yields members that the model has no field for; property bags may hold anything."""
    if isinstance(value, BaseModel):
        if not where.endswith((".properties", ".partialFingerprints")):
            for name in value.model_extra or {}:
                yield f"{where}.{name} is no member"
        for name, field in type(value).model_fields.items():
            yield from unknown(getattr(value, name), f"{where}.{field.alias or name}")
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from unknown(member, f"{where}[{at}]")


def faults(path):
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        log = Log.model_validate(text)
    except (ValueError, ValidationError) as error:
        yield str(error)
        return
    yield from unknown(log)
    for run in text["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(rules) != len(set(rules)):
            yield "a rule is listed twice"
        for result in run["results"]:
            if rules[result["ruleIndex"]] != result["ruleId"]:
                yield f"ruleIndex {result['ruleIndex']} is not {result['ruleId']}"
            for place in result.get("locations", []):
                uri = place["physicalLocation"]["artifactLocation"]["uri"]
                if not URI.fullmatch(uri) or uri.startswith("/"):
                    yield f"{uri!r} is no relative URI"


def main(arguments):
    bad = 0
    for path in map(pathlib.Path, arguments):
        for fault in faults(path):
            bad += 1
            print(f"{path}: {fault}")
    print(f"{len(arguments)} logs, {bad} faults")
    if not arguments:
        return 2
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
