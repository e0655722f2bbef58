"""How reports are labelled and a cohort is chosen from them; light to import."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from brainuad.curation.labels import LABELS
from brainuad.curation.learned_settings import LearnedSettings
from brainuad.curation.selection_settings import ReviewSettings, SelectionSettings
from brainuad.settings import Settings, UserPath

LabellerName = Literal["rules", "learned", "table"]
# Labellers that read reports, other than a table that somebody has made.
READERS: tuple[LabellerName, ...] = ("rules", "learned")


class RuleSettings(Settings):
    """The choices of the rule labeller.

    `likely`: what "probable" and "suggestive of" are taken for. `terms`: further words for labels, as a hospital
    writes them, such as `{"hemorrhage": ["HPC"]}`.
    """

    likely: Literal["uncertain", "positive"] = "uncertain"
    terms: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("terms")
    @classmethod
    def _known_labels(cls, terms: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if unknown := sorted(set(terms) - set(LABELS)):
            raise ValueError(f"{', '.join(unknown)}: no such label; the labels are {', '.join(LABELS)}")
        if any(not phrase.strip() for phrases in terms.values() for phrase in phrases):
            raise ValueError("a term is empty")
        return terms


class LabellingSettings(Settings):
    """What gives the labels: rules, a learned labeller from the folder `model`, or a `table` from elsewhere."""

    labeller: LabellerName = "rules"
    rules: RuleSettings = RuleSettings()
    model: Path | None = None
    table: Path | None = None

    @model_validator(mode="after")
    def _has_its_file(self) -> Self:
        if self.labeller == "learned" and self.model is None:
            raise ValueError("model: the learned labeller needs the folder of a trained model")
        if self.labeller == "table" and self.table is None:
            raise ValueError("table: labels from elsewhere need their file")
        return self


class LearnedLabellerSettings(Settings):
    """Where the learned labeller comes from.

    `model` is the folder of one that is trained already. Without it one is trained, on synthetic reports and on
    the data set's own that the table `labelled` names.
    """

    model: UserPath | None = None
    labelled: UserPath | None = None
    training: LearnedSettings = LearnedSettings()

    @model_validator(mode="after")
    def _trained_once(self) -> Self:
        given = [name for name in ("labelled", "training") if name in self.model_fields_set]
        if self.model is not None and given:
            raise ValueError(
                f"{' and '.join(given)}: nothing is trained where `model` names a trained labeller"
            )
        return self


class CurationSettings(Settings):
    """From the reports of a data set to its normal cohort (Kascenas 2023, section 4.2.2).

    `table` holds the labels where `labeller` is `table`. `compare_labellers` has the reports read by the other
    labellers too, and reports how they agree. `review_file` holds decisions on the scans of the review sheet; by
    default it is `review.tsv` in the folder of the data set, if there is one.
    """

    labeller: LabellerName = "rules"
    table: UserPath | None = None
    rules: RuleSettings = RuleSettings()
    learned: LearnedLabellerSettings = LearnedLabellerSettings()
    compare_labellers: bool = True
    selection: SelectionSettings = SelectionSettings()
    review: ReviewSettings = ReviewSettings()
    review_file: UserPath | None = None

    @model_validator(mode="after")
    def _table_is_read(self) -> Self:
        if self.labeller == "table" and self.table is None:
            raise ValueError("table: name the file of labels, or set `labeller` to rules or learned")
        if self.labeller != "table" and self.table is not None:
            raise ValueError(f"table: not read where `labeller` is {self.labeller}; set `labeller: table`")
        return self

    @property
    def other_labellers(self) -> tuple[LabellerName, ...]:
        """The labellers that the chosen one is compared with."""
        return tuple(name for name in READERS if self.compare_labellers and name != self.labeller)

    @property
    def uses_learned(self) -> bool:
        """Whether a learned labeller is needed."""
        return "learned" in (self.labeller, *self.other_labellers)
