"""Settings of the learned report labeller.

The papers give neither layer sizes nor the optimiser of a network without pretrained weights; these are usual ones.
"""

from typing import Any

from pydantic import Field

from brainuad.settings import Settings


class LearnedSettings(Settings):
    """The text encoder, its training texts and its training (after Schrempf 2020 and 2021)."""

    embedding: int = Field(200, ge=1, description="numbers per word")
    hidden: int = Field(256, ge=1, description="units of the recurrent network in each direction")
    pieces: tuple[int, int] = Field((3, 5), description="shortest and longest n-gram of letters")
    buckets: int = Field(4096, ge=1, description="vectors that the n-grams share")
    smallest_count: int = Field(3, ge=1, description="texts that a word must occur in to be known")
    dropout: float = Field(
        0.2, ge=0, lt=1, description="of word vectors and of the recurrent network's states"
    )
    word_dropout: float = Field(0.1, ge=0, lt=1, description="share of words that training takes for unknown")
    texts: int = Field(3000, ge=0, description="synthetic texts of an epoch, drawn anew for each")
    held_out_templates: float = Field(0.2, gt=0, lt=1, description="share of templates kept from training")
    held_out_texts: int = Field(600, ge=1, description="texts written from these templates")
    labelled_repeats: int = Field(3, ge=1, description="how often an epoch shows a user's labelled report")
    labelled_held_out: float = Field(
        0.2, ge=0, lt=1, description="share of a user's reports kept from training"
    )
    epochs: int = Field(12, ge=1, description="at most")
    patience: int = Field(2, ge=1, description="epochs without a higher held-out F1 that end the training")
    batch_size: int = Field(16, ge=1, description="texts")
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    gradient_clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    class_weights: bool = Field(False, description="weigh classes by how rare they are, label by label")


# Smaller, for trying things out.
QUICK: dict[str, Any] = {"embedding": 64, "hidden": 64, "held_out_texts": 300, "learning_rate": 3e-3}
