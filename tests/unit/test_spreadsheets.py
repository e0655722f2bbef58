"""Tables are read in the encodings and with the separators that spreadsheets and databases write."""

import logging
import zipfile
from pathlib import Path

import pytest

from brainuad.errors import InputError
from brainuad.spreadsheets import encoding_of, identifier, read_spreadsheet

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
    assert list(read_spreadsheet(path, NEEDED, ["remark"])) == [
        (2, {"scan": "s1", "patient": "Müller", "remark": "“a”, b; c\td"}),
        (4, {"scan": "s2", "patient": "p2", "remark": ""}),
    ]


def test_big_endian_is_read_by_its_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffscan;patient\ns1;Müller\n", "utf-16-be")
    assert list(read_spreadsheet(path, NEEDED)) == [(2, {"scan": "s1", "patient": "Müller"})]


def test_a_letter_across_two_blocks_is_still_utf_8(tmp_path: Path) -> None:
    assert encoding_of(written(tmp_path, "x" * ((1 << 20) - 1) + "ü")) == "utf-8"


def test_windows_latin_1_is_a_warning_that_names_the_file_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        read = list(read_spreadsheet(written(tmp_path, "scan,patient\ns1,Müller\n", "cp1252"), NEEDED))
    assert read == [(2, {"scan": "s1", "patient": "Müller"})]
    (record,) = caplog.records
    assert "table.csv: not UTF-8, so read as Windows Latin-1" in record.getMessage()
    assert "ller" not in record.getMessage()


def test_a_bad_byte_in_utf_8_spoils_no_other_letter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("scan,patient\ns1,Müller\ns2,Größe\n".encode() + b"s3,M\xfcller\n")
    with caplog.at_level(logging.WARNING):
        read = [row["patient"] for _, row in read_spreadsheet(path, NEEDED)]
    assert read == ["Müller", "Größe", r"M\xfcller"]
    (record,) = caplog.records
    assert "table.csv: read as UTF-8" in record.getMessage()
    assert "ller" not in record.getMessage()


def test_names_that_differ_in_a_bad_byte_stay_two(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("scan,patient\näöüß,p\n".encode() + b"s1,M\xfcller\ns1,M\xf6ller\n")
    assert len({row["patient"] for _, row in read_spreadsheet(path, NEEDED)}) == 3


def test_utf_8_is_read_without_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    list(read_spreadsheet(written(tmp_path, "scan,patient\ns1,Müller\n"), NEEDED))
    assert not caplog.records


def test_empty_cells_left_out_at_the_end_are_empty(tmp_path: Path) -> None:
    path = written(tmp_path, "scan,patient,mask,remark\ns1,p1,m,x\ns2,p2\ns3,p3,n\n")
    assert [row["mask"] for _, row in read_spreadsheet(path, NEEDED, ["mask"])] == ["m", "", "n"]


@pytest.mark.parametrize("header", ["scan,patient", "scan,patient,"])
def test_empty_cells_too_many_in_every_row_are_ignored(tmp_path: Path, header: str) -> None:
    path = written(tmp_path, f"{header}\ns1,p1,\ns2,,\n")
    assert [row["patient"] for _, row in read_spreadsheet(path, NEEDED)] == ["p1", ""]


@pytest.mark.parametrize(
    "row",
    ["s2;No bleed; large mass;", "s2;No bleed\nlarge mass", "s2", "s2;x;y;z", "s2;x;;z"],
    ids=["separator", "line break", "needed cell", "cell too many", "cell after an empty one too many"],
)
def test_a_row_that_may_be_part_of_a_text_without_quotes_is_refused(tmp_path: Path, row: str) -> None:
    path = written(tmp_path, f"scan;text;remark\ns1;Normal;\n{row}\n")
    with pytest.raises(InputError, match=r"table\.csv: row [34] has \d columns, expected 3.*in quotes"):
        list(read_spreadsheet(path, ["scan", "text"]))


@pytest.mark.parametrize("start", ["\n", " \r\n\n", ",,\n"])
def test_empty_rows_above_the_header_are_left_out_and_counted(tmp_path: Path, start: str) -> None:
    path = written(tmp_path, f"{start}scan,patient\ns1,p1\n")
    assert list(read_spreadsheet(path, NEEDED)) == [(2 + start.count("\n"), {"scan": "s1", "patient": "p1"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_first_line_tells_the_separator(tmp_path: Path, separator: str, encoding: str) -> None:
    path = written(
        tmp_path, f'sep={separator}\r\n"scan"{separator}"patient"\r\ns1{separator}";, p|\t"', encoding
    )
    assert list(read_spreadsheet(path, NEEDED)) == [(3, {"scan": "s1", "patient": ";, p|"})]


def test_a_column_twice_matters_only_where_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "scan,patient,date,,,Date\ns1,p1,2020,,,2021\n")
    assert list(read_spreadsheet(path, NEEDED)) == [(2, {"scan": "s1", "patient": "p1"})]
    with pytest.raises(InputError, match=r"table\.csv: there are two columns date"):
        list(read_spreadsheet(path, NEEDED, ["date"]))


def test_a_long_text_is_no_open_quotation_mark(tmp_path: Path) -> None:
    text = "x" * 200_000
    path = written(tmp_path, f'scan,patient\ns1,"{text}"\n')
    assert [row["patient"] for _, row in read_spreadsheet(path, NEEDED)] == [text]


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


@pytest.mark.parametrize(
    "text", ["Ren\u00e9", "Rene\u0301", "\ufeffRen\u00e9", "Ren\u00e9\u200b\xa0", "\u200e Ren\u00e9"]
)
def test_a_name_has_one_form_however_it_is_stored(text: str) -> None:
    assert identifier(text) == "Ren\u00e9"


def test_the_encoding_of_a_file_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, "scan,patient\ns1,M\u00fcller\n", "cp1252")
    for _ in range(3):
        list(read_spreadsheet(path, NEEDED))
    assert len(caplog.records) == 1
    path.write_text("scan,patient\ns1,M\u00fcller, the other\n", encoding="utf-8")
    assert encoding_of(path) == "utf-8"
