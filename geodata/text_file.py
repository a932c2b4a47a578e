"""A text file read whole: its size limited, its encoding found out and named."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geodata.findings import Findings

MOST_BYTES = 500_000_000
NEWLINE = b"\n"


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path, findings: Findings, most_bytes: int = MOST_BYTES) -> str | None:
    """The file's text, or None. Another encoding than UTF-8 is a problem that names it; reading goes on."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            findings.problem(f"has {size:,} bytes", path.name, f"files have at most {most_bytes:,}")
            return None
        data = path.read_bytes()
    except OSError as error:
        findings.problem(f"cannot be read: {error.strerror}", path.name)
        return None
    rule, mend = "files are UTF-8", 'save it again as "CSV UTF-8"'

    def line_of(position: int) -> str:
        return f"{path.name}:{data.count(NEWLINE, 0, position) + 1}"

    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:400].count(0) > len(data[:400]) // 4:
        findings.problem("is in UTF-16", path.name, rule, mend)
        encoding = (
            "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        )
        return data.decode(encoding, errors="replace")
    if 0 in data:
        findings.problem("holds a null byte: it is no text", line_of(data.index(0)), rule)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        character = data[error.start : error.start + 1].decode("cp1252", errors="replace")
        findings.problem(
            f"is not UTF-8: byte 0x{data[error.start]:02x}, {character!r} in Windows-1252 (cp1252)",
            line_of(error.start), rule, mend,
        )  # fmt: skip
        return data.decode("cp1252", errors="replace")
