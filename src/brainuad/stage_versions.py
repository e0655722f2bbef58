"""Versions of the stages of the workflow."""

# Raised when the mathematics of a stage changes, so that its results are made again.
STAGE_VERSIONS = {
    "simulate": 2,
    "preprocess": 2,
    "pack": 2,
    "train": 1,
    "calibrate": 2,
    "infer": 2,
    "evaluate": 2,
    "select": 2,
}
