"""IXI: healthy volunteers from three London hospitals (https://brain-development.org/ixi-dataset)."""

from pathlib import Path

from brainuad.phantom.layout import Ages, Image, Layout, Scanner, Sequence, SubjectFacts
from brainuad.storage import atomic_path


def write_spreadsheet(subjects: list[SubjectFacts], root: Path, seed: int) -> None:
    """Writes `IXI.xls` with the published columns that a study needs."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for column, title in enumerate(("IXI_ID", "SEX_ID (1=m, 2=f)", "AGE")):
        sheet.write(0, column, title)
    for row, facts in enumerate(subjects, start=1):
        for column, value in enumerate((facts.number, 1 if facts.sex == "M" else 2, facts.age)):
            sheet.write(row, column, value)
    with atomic_path(root / "IXI.xls") as temporary:
        book.save(str(temporary))


GUYS = Scanner(
    site="Guys",
    field_tesla=1.5,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=2000, te_ms=4.6, ti_ms=880),
        "t2": Sequence("spin-echo", tr_ms=8178, te_ms=100),
    },
    noise=0.045,
    bias=0.10,
)
HH = Scanner(
    site="HH",
    field_tesla=3.0,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=2300, te_ms=4.6, ti_ms=1060),
        "t2": Sequence("spin-echo", tr_ms=5725, te_ms=100),
    },
    noise=0.035,
    bias=0.17,
)
IOP = Scanner(
    site="IOP",
    field_tesla=1.5,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=1900, te_ms=4.2, ti_ms=830),
        "t2": Sequence("spin-echo", tr_ms=7000, te_ms=90),
    },
    noise=0.05,
    bias=0.12,
)

LAYOUT = Layout(
    subject="IXI{number:03d}",
    first_number=2,
    largest_gap=2,
    images=(
        Image("t1", "{subject}-{site}-{scan:04d}-T1.nii.gz", orientation="PSR", slice_axis=0),
        Image("t2", "{subject}-{site}-{scan:04d}-T2.nii.gz", orientation="LPS", slice_axis=2),
    ),
    scanners=(GUYS, HH, IOP),
    ages=Ages(mean=49, sd=16, youngest=20, oldest=86),
    alignment="own",
    write_extras=write_spreadsheet,
)
