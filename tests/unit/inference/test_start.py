"""An inference starts without the libraries of training: a study has hundreds of them."""

import subprocess
import sys


def test_inference_starts_without_the_training_engine() -> None:
    heavy = {"lightning_fabric", "torch._dynamo", "torchmetrics", "nibabel", "SimpleITK", "matplotlib"}
    code = (
        "import sys, brainuad.inference.infer; from brainuad.methods.registry import models, scoring_rules; "
        f"models(); scoring_rules(); print(sorted({heavy} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
