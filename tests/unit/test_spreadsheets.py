"""Tables are read in the encodings and with the separators that spreadsheets and databases write."""

import zipfile
from pathlib import Path

import pytest

from brainuad.errors import InputError
from brainuad.spreadsheets import encoding_of, read_spreadsheet

NEEDED = ("scan", "patient")


def written(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_separators_and_line_ends_make_no_difference(
    tmp_path: Path, encoding: str, separator: str, line_end: str
) -> None:
    rows = [["Scan", "Patient ", "Remark"], ["s1", " Müller", "“a”, b; c\td"], ["", "", ""], ["s2", "p2", ""]]
    quoted = (separator.join(f'"{cell}"' if len(cell) > 8 else cell for cell in row) for row in rows)
    path = written(tmp_path, line_end.join(quoted), encoding)
    assert list(read_spreadsheet(path, NEEDED)) == [
        (2, {"scan": "s1", "patient": "Müller", "remark": "“a”, b; c\td"}),
        (4, {"scan": "s2", "patient": "p2", "remark": ""}),
    ]


def test_big_endian_is_read_by_its_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffscan;patient\ns1;Müller\n", "utf-16-be")
    assert list(read_spreadsheet(path, NEEDED)) == [(2, {"scan": "s1", "patient": "Müller"})]


def test_a_letter_across_two_blocks_is_still_utf_8(tmp_path: Path) -> None:
    assert encoding_of(written(tmp_path, "x" * ((1 << 20) - 1) + "ü")) == "utf-8"


@pytest.mark.parametrize(
    "content",
    [
        "scan,patient\ns1,p1\n".encode("utf-16-le"),  # without a byte order mark
        "scan,patient\n".encode("utf-16")[:-1],
        b"scan,patient\ns1,M\xfcller\x81\n",  # neither UTF-8 nor Windows Latin-1
        b"scan,patient\ns1,p\x00\n",
    ],
)
def test_bytes_that_are_no_known_text_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"table\.csv: not a text in UTF-8.* Save it again") as error:
        list(read_spreadsheet(path, NEEDED))
    assert "ller" not in str(error.value)


def test_a_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "table.csv", "w") as workbook:
        workbook.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(InputError, match=r"table\.csv: not a text"):
        list(read_spreadsheet(tmp_path / "table.csv", NEEDED))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("scan,person\n", "the columns patient are missing; expected scan, patient"),
        ("scan,patient,Patient\n", "two columns patient"),
        ("scan,patient\na,b\nSecret,b,c\n", "row 3 has 3 columns, expected 2"),
        ('scan,patient\n"Secret,b\n', "a quotation mark before line 2 is not closed"),
        ("", "the columns scan, patient are missing"),
    ],
)
def test_what_is_no_table_is_named_by_its_place_alone(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InputError, match=r"table\.csv: ") as error:
        list(read_spreadsheet(written(tmp_path, content), NEEDED))
    assert told in str(error.value)
    assert "Secret" not in str(error.value)


@pytest.mark.parametrize(("name", "told"), [("", "cannot be read"), ("none.csv", "no such file")])
def test_a_missing_file_or_a_folder_says_what_is_expected(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(InputError, match=f"{told}.*; expected a table with the columns scan, patient"):
        list(read_spreadsheet(tmp_path / name, NEEDED))
