"""Tables read out of files, at the edges."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from geodata.official.found import BLOCK, look
from optimiser.errors import DataError
from tests.geodata.official.places import found


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    table = found(tmp_path, "a.csv", 'a,b\n1,"x\ny"\n\n , \n2, z \n')
    frame = table.frame()
    assert list(frame.index) == [3, 6]
    assert frame["b"].tolist() == ["x\ny", "z"]


def test_one_column_and_columns_of_one_name(tmp_path: Path) -> None:
    table = found(tmp_path, "a.csv", "a,b,a\n1,2,3\n4,5,6\n")
    assert table.frame(0, {1: "b"}).to_numpy().tolist() == [["2"], ["5"]]
    assert table.frame().to_numpy().tolist() == [["1", "2", "3"], ["4", "5", "6"]]
    assert list(table.frame().columns) == ["a", "b", "a"]


def test_more_rows_than_are_held_at_a_time(tmp_path: Path) -> None:
    rows = BLOCK * 2 + 3
    table = found(tmp_path, "a.csv", "n,same\n" + "".join(f"{i},x\n" for i in range(rows)))
    frame = table.frame()
    assert frame["n"].tolist() == [str(i) for i in range(rows)]
    assert (frame["same"] == "x").all()
    assert frame.index[-1] == rows + 1


def test_every_uneven_row_is_named(tmp_path: Path) -> None:
    table = found(tmp_path, "a.csv", "a,b\n1,2\n1\n1,2,3\n")
    with pytest.raises(DataError) as refused:
        table.frame()
    assert [p.where for p in refused.value.problems] == ["a.csv:3", "a.csv:4"]


def test_a_locked_zip_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    tables, unread = look(tmp_path)
    assert not tables
    assert "password" in unread[0].why
