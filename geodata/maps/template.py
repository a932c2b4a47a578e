"""Pages made of one file: templates that escape, data that cannot end a script, a policy that runs only our code."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any

import jinja2

from geodata.maps import words
from optimiser.wording import percent, within


def environment() -> jinja2.Environment:
    """Jinja with every value escaped and every unknown name an error."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: asset(f"templates/{name}")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "show": words.show,
        "bare": words.bare,
        "suffix": words.suffix,
        "pounds": words.pounds,
        "figure": words.figure,
        "percent": percent,
        "within": within,
    }
    return made


def asset(name: str) -> str:
    """The text of a file that ships beside this module."""
    return files("geodata.maps").joinpath(name).read_text(encoding="utf-8")


def policy(*, script: str = "", style: str = "") -> str:
    """A content-security policy: nothing is fetched, and only this script and this style run, named by their hashes."""
    parts = ["default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    if script:
        parts.append(f"script-src {_hash(script)}")
    if style:
        parts.append(f"style-src {_hash(style)}")
    return "; ".join(parts)


def inline_json(document: Any) -> str:
    """JSON for a script element: no `<`, so no `</script`; no line separators that old parsers trip over."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
