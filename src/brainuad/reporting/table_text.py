"""Lays a table out for people: Markdown, LaTeX, and the cells of an HTML table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainuad.evaluation.catalogue import POOLED
from brainuad.reporting.names import ALPHA, PHANTOM_NOTE, p_text
from brainuad.reporting.row_tests import best_rows
from brainuad.reporting.settings import AnyTableSettings, FlowTableSettings, TableColumn, TableSettings

# Beside p where single subjects are better on the mean than those of the row whose pooled value is the best.
BETTER = " ‡"
LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "<": "$<$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\rightarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "ℓ": r"$\ell$",
    "λ": r"$\lambda$",
    "α": r"$\alpha$",
    "σ": r"$\sigma$",
    "·": r"$\cdot$",
    "‡": r"$\ddagger$",
    "–": "--",
    "ü": r"\"u",
}


@dataclass(frozen=True)
class CellText:
    """One laid-out cell; `ours` is a value or the reason why there is none.

    `published` is "not published" where only this cell has no counterpart, and "" in a table without any. `test` is
    the corrected p value against the best of the column, "" in the best cell and where there is no test.
    """

    ours: str
    published: str
    difference: str
    filled: bool
    best: bool
    test: str = ""


@dataclass(frozen=True)
class Layout:
    """A table for people: notes, header and rows of cells; `corner` stands above the labels of the rows."""

    notes: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[CellText, ...]], ...]
    corner: str = "Method"


def layout_of(settings: AnyTableSettings, table: pd.DataFrame) -> Layout:
    """The laid-out form of a built table of any kind."""
    if isinstance(settings, FlowTableSettings):
        return flow_layout(settings, table)
    return table_layout(settings, table)


def table_layout(settings: TableSettings, table: pd.DataFrame) -> Layout:
    """The laid-out form of what `build_table` returned for the same settings."""
    width = len(settings.columns)
    best = best_rows(settings, table)
    absent = "not published" if settings.published else ""
    rows = tuple(
        (
            row.label,
            tuple(
                _cell_text(
                    table.iloc[number * width + position], column, absent, best.get(position) == number
                )
                for position, column in enumerate(settings.columns)
            ),
        )
        for number, row in enumerate(settings.rows)
    )
    phantom = table["phantom"].to_numpy(bool)[:width]
    header = tuple(
        column.label + (" (upper bound)" if column.upper_bound else "") + (" †" if phantom[position] else "")
        for position, column in enumerate(settings.columns)
    )
    return Layout(_notes(settings, table), header, rows)


def flow_layout(settings: FlowTableSettings, table: pd.DataFrame) -> Layout:
    """The laid-out form of what `build_flow_table` returned for the same settings."""
    cells = [_count_text(row) for _, row in table.iterrows()]
    phantom = bool(table["phantom"].any())
    notes = [f"† {PHANTOM_NOTE}."] if phantom else []
    if settings.published:
        notes.append("Each cell: ours, then the published value and the difference, ours − published.")
    if settings.source:
        notes.append(f"Published values: {settings.source}.")
    mark = " †" if phantom else ""
    rows = tuple(
        (row.label, tuple(cells[2 * place : 2 * place + 2])) for place, row in enumerate(settings.rows)
    )
    return Layout(tuple(notes), (f"Images{mark}", f"Patients{mark}"), rows, corner="Step")


def _count_text(cell: pd.Series) -> CellText:
    ours, published, difference = (cell[name] for name in ("ours_mean", "published_mean", "difference"))
    filled = bool(np.isfinite(ours))
    return CellText(
        ours=f"{ours:,.0f}" if filled else cell["note"],
        published=f"{published:,.0f}" if np.isfinite(published) else "",
        difference=f"{difference:+,.0f}".replace("-", "−") if np.isfinite(difference) else "",
        filled=filled,
        best=False,
    )


def _notes(settings: TableSettings, table: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    if table["phantom"].any():
        notes.append(f"† {PHANTOM_NOTE}.")
    count = _range(table["n_runs"])
    compared = ", then the published value and the difference, ours − published" if settings.published else ""
    if settings.spread == "subjects":
        runs = "1 run" if count == "1" else f"{count} runs"
        ours = f"mean over {runs} ± standard deviation over subjects, n = {_range(table['n_subjects'])}"
    else:
        ours = f"mean ± standard deviation over runs, n = {count}"
    notes.append(f"Each cell: ours ({ours}){compared}.")
    if table["upper_bound"].any():
        notes.append("Upper bound: the threshold was chosen on the test data itself.")
    notes += _test_notes(table)
    for remark, cells in table[table["remark"] != ""].groupby("remark", sort=False):
        notes.append(f"{', '.join(dict.fromkeys(cells['row']))}: {remark}")
    if settings.source:
        notes.append(f"Published values: {settings.source}.")
    return tuple(notes)


def _test_notes(table: pd.DataFrame) -> list[str]:
    """How the cells were tested against the best of their column, and which columns could not be."""
    notes = []
    tested = table[np.isfinite(table["p_holm"])]
    if not tested.empty:
        count = _range(tested["n_tested"])
        notes.append(
            "p: against the best of the column (bold), by a paired permutation test over the values of "
            f"n = {count} subjects, Holm-corrected over all pairs of the column."
        )
        fewest = int(tested["n_tested"].min())
        if (least := 2 / 2**fewest) > ALPHA:
            notes[-1] += f" Of {fewest} subjects no p is below {least:g}, whatever they show."
        if (tested["aggregate"] == POOLED).any():
            notes.append(f"{BETTER.strip()}: better than the bold one on the mean of single subjects.")
    for note, cells in table[table["test_note"] != ""].groupby("test_note", sort=False):
        notes.append(f"{', '.join(dict.fromkeys(cells['column']))}: {note}.")
    return notes


def _range(counts: pd.Series) -> str:
    """The lowest to the highest of the counts that are not 0."""
    found = sorted(set(counts) - {0})
    return " to ".join(str(n) for n in dict.fromkeys([found[0], found[-1]])) if found else "0"


def number_text(mean: float, sd: float, digits: int) -> str:
    """`mean ± sd` with that many decimals; "" where there is no mean."""
    if not np.isfinite(mean):
        return ""
    return f"{mean:.{digits}f}" + (f" ± {sd:.{digits}f}" if np.isfinite(sd) else "")


def _cell_text(cell: pd.Series, column: TableColumn, absent: str, best: bool) -> CellText:
    ours = number_text(cell["ours_mean"], cell["ours_sd"], column.digits)
    difference = cell["difference"]
    return CellText(
        ours=f"{ours} ({cell['note']})" if ours and cell["note"] else ours or cell["note"],
        published=number_text(cell["published_mean"], cell["published_sd"], column.digits) or absent,
        difference=f"{difference:+.{column.digits}f}".replace("-", "−") if np.isfinite(difference) else "",
        filled=bool(ours),
        best=best,
        test=_test_text(cell, column),
    )


def _test_text(cell: pd.Series, column: TableColumn) -> str:
    """The corrected p, and that single subjects are better than in the best row where they are so on the mean."""
    if not np.isfinite(cell["p_holm"]):
        return ""
    sign = 1 if column.better == "higher" else -1
    return f"p {p_text(cell['p_holm'])}" + (BETTER if sign * cell["subject_difference"] > 0 else "")


def table_as_markdown(settings: AnyTableSettings, table: pd.DataFrame) -> str:
    """A Markdown table: in each cell our value, then the published one, the difference and the test."""
    layout = layout_of(settings, table)
    lines = [f"# {settings.title}", "", *(f"> {note}\n>" for note in layout.notes)]
    lines[-1] = lines[-1].removesuffix("\n>")
    lines += [
        "",
        f"| {layout.corner} | " + " | ".join(_escape_markdown(text) for text in layout.header) + " |",
    ]
    lines.append("|:---|" + "---:|" * len(layout.header))
    for label, cells in layout.rows:
        lines.append(f"| {_escape_markdown(label)} | " + " | ".join(map(_markdown_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _markdown_cell(cell: CellText) -> str:
    ours = f"**{cell.ours}**" if cell.best else cell.ours if cell.filled else f"*{cell.ours}*"
    lines = [ours]
    if cell.published:
        published = cell.published if cell.published == "not published" else f"published {cell.published}"
        lines.append(published + (f" ({cell.difference})" if cell.difference else ""))
    return "<br>".join([*lines, cell.test] if cell.test else lines)


def _escape_markdown(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


def escape_latex(text: str) -> str:
    """`text` with every character that LaTeX reads as a command written out."""
    return "".join(LATEX_ESCAPES.get(character, character) for character in text)


def table_as_latex(settings: AnyTableSettings, table: pd.DataFrame, name: str) -> str:
    """A LaTeX table (package booktabs); each cell stacks our value over the published one."""
    layout = layout_of(settings, table)
    body = [
        f"{escape_latex(label)} & " + " & ".join(map(_latex_cell, cells)) + r" \\"
        for label, cells in layout.rows
    ]
    caption = " ".join([settings.title.rstrip(".") + ".", *layout.notes])
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            r"\caption{" + escape_latex(caption).replace("†", r"$\dagger$") + "}",
            r"\label{tab:" + name + "}",
            r"\begin{tabular}{l" + "r" * len(layout.header) + "}",
            r"\toprule",
            f"{layout.corner} & " + " & ".join(map(_latex_header, layout.header)) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_header(text: str) -> str:
    return escape_latex(text).replace("†", r"$^\dagger$")


def _latex_cell(cell: CellText) -> str:
    ours = escape_latex(cell.ours)
    ours = rf"\textbf{{{ours}}}" if cell.best else ours if cell.filled else rf"\emph{{{ours}}}"
    published = escape_latex(cell.published) + (
        f" ({escape_latex(cell.difference)})" if cell.difference else ""
    )
    below = [text for text in (published, escape_latex(cell.test)) if text]
    if not below:
        return ours
    return rf"\shortstack[r]{{{ours}" + "".join(rf"\\{{\scriptsize {text}}}" for text in below) + "}"
