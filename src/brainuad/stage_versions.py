"""Versions of the stages of the workflow."""

# Raised when the mathematics of a stage changes, so that its results are made again. A stage without one has version 1.
STAGE_VERSIONS = {
    "simulate": 2,
    "index": 4,
    "preprocess": 5,
    "pack": 2,
    "split": 2,
    "train": 3,
    "calibrate": 2,
    "infer": 3,
    "evaluate": 3,
    "rescore": 2,
    "rank": 2,
    "train_labeller": 3,
    "label": 5,
    "select": 6,
}
