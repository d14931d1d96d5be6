#!/usr/bin/env python3
"""Records what Jinja2 makes of the templates in python_cases.txt: `./record.py > python_cases.jsonl` (needs jinja2).

One template a line, `\u2424` stands for a line break, lines with `##` are headings.
"""
import datetime
import itertools
import json
import pathlib
import re

import jinja2.sandbox


def fromjson(text, default=None):
    try:
        return json.loads(text)
    except ValueError:
        return default


MODULES = {
    "datetime": {name: getattr(datetime, name) for name in ("date", "datetime", "time", "timedelta", "timezone")},
    "re": {name: getattr(re, name) for name in re.__all__},
    "itertools": {name: getattr(itertools, name) for name in dir(itertools) if not name.startswith("_")},
}
CONTEXT = {
    "fromjson": fromjson,
    "tojson": lambda value, sort_keys=False: json.dumps(value, sort_keys=sort_keys),
    "set": set,
    "set_strict": set,
    "zip": zip,
    "zip_strict": zip,
    "modules": MODULES,
}
ENVIRONMENT = jinja2.sandbox.SandboxedEnvironment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])

for line in pathlib.Path(__file__).with_name("python_cases.txt").read_text().splitlines():
    if not line or line.startswith("##"):
        continue
    case = {"template": line.replace("\u2424", "\n")}
    try:
        case["expected"] = ENVIRONMENT.from_string(case["template"]).render(CONTEXT)
    except Exception as error:  # whatever it is, it is the answer
        case["error"] = str(error)
    print(json.dumps(case, ensure_ascii=False))
