"""Precision, recall, F1 and kappa of a report labeller, for each label, on reports that readers labelled.

python benchmarks/report_labels.py tests/data/report_sentences.tsv                   the rules
python benchmarks/report_labels.py TSV --likely positive                             "probable" taken for positive
python benchmarks/report_labels.py TSV --model FOLDER                                a learned labeller

The file has the columns report, text, label and certainty, and a row for each label that a report mentions; a report
that mentions none has one row with an empty label.
"""

import argparse
from pathlib import Path

from brainuad.curation.agreement import agreement, classes_in, classes_of, read_expected
from brainuad.curation.label_reports import build_labeller
from brainuad.curation.settings import LabellingSettings, RuleSettings


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("expected", type=Path, help="table of reports, labels and what readers say")
    parser.add_argument("--model", type=Path, help="folder of a learned labeller; the rules without it")
    parser.add_argument("--likely", choices=("uncertain", "positive"), default="uncertain")
    chosen = parser.parse_args()
    settings = LabellingSettings(
        labeller="learned" if chosen.model else "rules",
        model=chosen.model,
        rules=RuleSettings(likely=chosen.likely),
    )
    expected = read_expected(chosen.expected)
    texts = expected.drop_duplicates("report").set_index("report")["text"]
    decisions = build_labeller(settings).label_all(texts.tolist())
    table = agreement(classes_in(expected, texts.index.tolist()), classes_of(decisions))
    print(f"{len(texts)} reports, {(expected['label'] != '').sum()} labels mentioned")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep="-"))


if __name__ == "__main__":
    main()
