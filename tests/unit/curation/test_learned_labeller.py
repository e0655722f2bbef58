"""The learned report labeller: its training, its files and its verbs."""

import csv
import json
import logging
import stat
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from brainuad.curation.labels import LABELS
from brainuad.curation.learned_labeller import LearnedLabeller
from brainuad.curation.learned_settings import QUICK, LearnedSettings
from brainuad.curation.learned_training import (
    class_weights,
    macro_f1,
    mean_cross_entropy,
    micro_f1,
    train_labeller,
)
from brainuad.curation.synthesis.reports import LabelledText
from brainuad.errors import InputError
from tests.verbs import error_of, run

TOY = LearnedSettings(
    embedding=24, hidden=24, texts=0, labelled_held_out=0.25, labelled_repeats=4, epochs=25, patience=25,
    learning_rate=0.01, batch_size=8, smallest_count=1, word_dropout=0, dropout=0,
)  # fmt: skip


def toy_reports() -> list[LabelledText]:
    """Two things in three ways to say them, and how each is to be read."""
    says = {"positive": "There is a {}.", "negative": "There is no {}.", "uncertain": "Perhaps a {}."}
    things = {"cyst": "cyst", "hemorrhage": "bleed"}
    singles = [
        LabelledText(says[certainty].format(word), {label: certainty})
        for label, word in things.items()
        for certainty in says
    ]
    pairs = [
        LabelledText(f"{one.text} {other.text}", {**one.classes, **other.classes})
        for one in singles[:3]
        for other in singles[3:]
    ]
    return (singles + pairs) * 4


@pytest.fixture(scope="module")
def toy() -> LearnedLabeller:
    return train_labeller(TOY, 0, toy_reports())[0]


def test_mean_cross_entropy_is_the_mean_over_labels_and_texts() -> None:
    scores = torch.randn(5, len(LABELS), 4, generator=torch.Generator().manual_seed(0))
    classes = torch.arange(5 * len(LABELS)).reshape(5, -1) % 4
    by_label = [F.cross_entropy(scores[:, label], classes[:, label]) for label in range(len(LABELS))]
    torch.testing.assert_close(mean_cross_entropy(scores, classes, None), torch.stack(by_label).mean())
    doubled = torch.full((len(LABELS), 4), 2.0)
    torch.testing.assert_close(
        mean_cross_entropy(scores, classes, doubled), 2 * mean_cross_entropy(scores, classes, None)
    )


def test_class_weights_give_every_occurring_class_the_same_sum() -> None:
    classes = torch.full((8, len(LABELS)), 3)
    classes[:2, 0] = 0
    weights = class_weights(classes)
    assert weights[0].tolist() == [2.0, 0.0, 0.0, pytest.approx(8 / 12)]
    assert weights[1].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_f1_leaves_out_what_nobody_mentions() -> None:
    classes = torch.full((4, len(LABELS)), 3)
    classes[0, 0], classes[1, 0], classes[2, 1] = 0, 1, 2
    predicted = classes.clone()
    assert micro_f1(predicted, classes) == 1
    predicted[0, 0] = 1  # wrong class
    predicted[3, 1] = 0  # mentioned by mistake
    assert micro_f1(predicted, classes) == pytest.approx(2 * 2 / (3 + 4))
    assert macro_f1(predicted, classes) == pytest.approx((2 * 1 / (2 + 2) + 2 * 1 / (1 + 2)) / 2)


def test_learns_a_toy_set(toy: LearnedLabeller) -> None:
    reports = toy_reports()
    read = [
        {decision.label: decision.certainty for decision in decisions}
        for decisions in toy.label_all([report.text for report in reports])
    ]
    right = [said == report.classes for said, report in zip(read, reports, strict=True)]
    assert sum(right) / len(right) > 0.95


def test_a_decision_names_the_sentence_that_it_was_read_from(toy: LearnedLabeller) -> None:
    decisions = {decision.label: decision for decision in toy.label("There is a cyst. There is no bleed.")}
    assert decisions["cyst"].sentence == "There is a cyst."
    assert decisions["hemorrhage"].sentence == "There is no bleed."
    assert decisions["cyst"].rule == "learned"


def test_the_order_of_reports_does_not_matter(toy: LearnedLabeller) -> None:
    texts = [report.text for report in toy_reports()[:15]]
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(1)).tolist()
    straight = toy.label_all(texts)
    assert [straight[place] for place in order] == toy.label_all([texts[place] for place in order])
    assert straight == [toy.label(text) for text in texts]


def test_empty_reports_and_lists_have_no_decisions(toy: LearnedLabeller) -> None:
    assert toy.label_all([]) == []
    assert toy.label_all(["", " \n ", "..."]) == [[], [], []]


def test_same_seed_same_weights_whatever_was_drawn_before() -> None:
    settings = TOY.model_copy(update={"epochs": 2, "texts": 20, "held_out_texts": 5, "dropout": 0.2})
    one, first = train_labeller(settings, 5, toy_reports())
    torch.rand(3)
    other, second = train_labeller(settings, 5, toy_reports())
    assert first == second
    assert one.vocabulary.words == other.vocabulary.words
    for name, weights in one.encoder.state_dict().items():
        assert torch.equal(weights, other.encoder.state_dict()[name])
    third = train_labeller(settings, 6, toy_reports())[0].encoder.state_dict()
    assert not torch.equal(third["attention.weight"], one.encoder.state_dict()["attention.weight"])


def test_training_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    train_labeller(TOY.model_copy(update={"epochs": 1}), 0, toy_reports())
    assert torch.equal(torch.rand(1), expected)


def test_the_weights_of_the_last_epoch_count_where_nothing_is_held_out() -> None:
    settings = TOY.model_copy(update={"labelled_held_out": 0.0, "epochs": 3, "patience": 1})
    _, training = train_labeller(settings, 0, toy_reports())
    assert training["epochs"] == 3
    assert training["held_out"] == {}


def test_training_ends_when_held_out_f1_rises_no_more() -> None:
    _, training = train_labeller(TOY.model_copy(update={"epochs": 60, "patience": 2}), 0, toy_reports())
    assert training["epochs"] < 60


def test_the_documentation_lists_every_setting_with_its_default_and_quick_value() -> None:
    page = (Path(__file__).parents[3] / "docs/learned-labeller.md").read_text()
    for key, value in LearnedSettings().model_dump(mode="json").items():
        quick = f"`{QUICK[key]}`" if key in QUICK else ""
        shown = "false" if value is False else value
        assert f"| `{key}` | `{shown}` | {quick}".rstrip() in page


def test_training_without_any_text_is_refused() -> None:
    with pytest.raises(InputError, match="nothing to train on"):
        train_labeller(TOY, 0)


def test_a_saved_labeller_reads_the_same(toy: LearnedLabeller, tmp_path: Path) -> None:
    toy.save(tmp_path / "model", {"seed": 0})
    loaded = LearnedLabeller.load(tmp_path / "model")
    texts = [report.text for report in toy_reports()] + ["A hygroma nobody knows."]
    assert loaded.label_all(texts) == toy.label_all(texts)
    for file in (tmp_path / "model").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def cut(folder: Path) -> None:
    (folder / "weights.pt").write_bytes((folder / "weights.pt").read_bytes()[:500])


def other_weights(folder: Path) -> None:
    torch.save({"format": 1, "weights": {}}, folder / "weights.pt")


def change(folder: Path, **entries: object) -> None:
    described = json.loads((folder / "labeller.json").read_text())
    (folder / "labeller.json").write_text(json.dumps({**described, **entries}))


BREAKS = {
    "not a readable checkpoint": cut,
    "not the weights that": other_weights,
    "no such checkpoint": lambda folder: (folder / "weights.pt").unlink(),
    "no such file. Train a labeller": lambda folder: (folder / "labeller.json").unlink(),
    "not a readable JSON": lambda folder: (folder / "labeller.json").write_text("{"),
    "other labels or classes": lambda folder: change(folder, labels=["cyst"]),
    "do not fit together": lambda folder: change(folder, vocabulary=["bleed"]),
}


@pytest.mark.parametrize("message", BREAKS)
def test_a_broken_labeller_is_refused(message: str, toy: LearnedLabeller, tmp_path: Path) -> None:
    toy.save(tmp_path, {})
    BREAKS[message](tmp_path)
    with pytest.raises(InputError, match=message):
        LearnedLabeller.load(tmp_path)


REPORTS = [
    ("r1", "There is a cyst. There is no bleed."),
    ("r2", ""),
    ("r3", "Il n'y a pas de saignement dans le cerveau de ce patient."),
    ("r4", "Perhaps a bleed on this scan."),
]


def write_reports(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("report", "patient", "date", "text"))
        writer.writerows((name, "p", "2020-01-01", text) for name, text in REPORTS)
    return path


def test_the_verb_labels_an_export(
    toy: LearnedLabeller, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    toy.save(tmp_path / "model", {})
    reports, output = write_reports(tmp_path / "reports.csv"), tmp_path / "labels.tsv"
    with caplog.at_level(logging.DEBUG):
        settings = json.dumps({"labelling": {"labeller": "learned", "model": str(tmp_path / "model")}})
        run("label-reports", "--settings", settings, "--reports", reports, "--output", output)
    rows = list(csv.DictReader(output.open(), delimiter="\t"))
    assert [(row["report"], row["label"], row["class"], row["status"]) for row in rows] == [
        ("r1", "cyst", "positive", "labelled"),
        ("r1", "hemorrhage", "negative", "labelled"),
        ("r2", "", "", "empty"),
        ("r3", "", "", "not English"),
        ("r4", "hemorrhage", "uncertain", "labelled"),
    ]
    assert rows[0]["sentence"] == "There is a cyst."
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert not any(word in caplog.text for word in ("cyst", "bleed", "r1"))


def test_the_verb_trains_on_labelled_reports(tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv")
    labelled = tmp_path / "labelled.tsv"
    labelled.write_text("report\tlabel\tclass\nr1\tcyst\tpositive\nr4\themorrhage\tuncertain\nr2\t\t\n")
    settings = '{"epochs": 1, "texts": 10, "held_out_texts": 4, "embedding": 8, "hidden": 8, "buckets": 32}'
    model = tmp_path / "model"
    run(
        *("train-labeller", "--output", model, "--reports", reports, "--labelled", labelled),
        *("--scale", "quick", "--settings", settings),
    )
    training = json.loads((model / "labeller.json").read_text())["training"]
    assert training["labelled_reports"] == 3
    assert set(training["held_out"]) == {"templates", "labelled"}
    assert LearnedLabeller.load(model).settings.texts == 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("report\tlabel\nr1\tcyst\n", "the columns class are missing"),
        ("report\tlabel\tclass\nr1\tcists\tpositive\n", "row 2: the label is not one of"),
        ("report\tlabel\tclass\nr1\tcyst\tyes\n", "row 2: the class is not one of"),
        ("report\tlabel\tclass\nr1\tcyst\tpositive\nr9\tcyst\tpositive\n", "row 3 names a report that"),
        ("report\tlabel\tclass\nr1\tcyst\tpositive\nr1\tcyst\tnegative\n", "row 3: the report already has"),
    ],
)
def test_wrong_labels_are_refused_by_row(content: str, message: str, tmp_path: Path) -> None:
    reports, labelled = write_reports(tmp_path / "reports.csv"), tmp_path / "labelled.tsv"
    labelled.write_text(content)
    shown = error_of(
        *("train-labeller", "--output", tmp_path / "model", "--reports", reports, "--labelled", labelled)
    )
    assert message in shown
    assert "r9" not in shown
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--settings", '{"epoch": 3}'), "Did you mean 'epochs'?"),
        (("--settings", "{"), "not JSON"),
        (("--settings", "[]"), "expected keys with values"),
        (("--labelled", "labels.tsv"), "needs --reports"),
    ],
)
def test_wrong_options_are_explained(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    assert message in error_of("train-labeller", "--output", tmp_path / "model", *arguments)
