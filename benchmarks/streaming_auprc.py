"""Exact average precision and ⌈Dice⌉ from float16 counts, beside scikit-learn on the same scores.

python benchmarks/streaming_auprc.py                    5·10⁷ scores, both
python benchmarks/streaming_auprc.py --scores 6e8 --ours-alone
"""

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np

from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.metrics import average_precision, best_dice

VOLUME = 128 * 128 * 155


def volumes(scores: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Maps and truth of about the given number of voxels: half background, 1 % lesion with higher scores."""
    generator = np.random.default_rng(0)
    for start in range(0, scores, VOLUME):
        size = min(VOLUME, scores - start)
        truth = generator.random(size, dtype=np.float32) < 0.01
        values = generator.standard_exponential(size, dtype=np.float32) * (0.02 + 0.04 * truth)
        values[: size // 2] = 0
        yield values.astype(np.float16), truth


def peak_mb() -> float:
    """The highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stream(scores: int) -> tuple[float, float, float]:
    """Average precision, best Dice and the seconds that counting took, without making the scores."""
    counts, seconds = PatternCounts.empty(), 0.0
    for values, truth in volumes(scores):
        start = time.perf_counter()
        counts.add(values, truth)
        seconds += time.perf_counter() - start
    start = time.perf_counter()
    precision, dice = average_precision(counts), best_dice(counts)[0]
    return precision, dice, seconds + time.perf_counter() - start


def main() -> None:
    """Prints seconds, peak memory and the values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scores", type=float, default=5e7)
    parser.add_argument("--ours-alone", action="store_true")
    arguments = parser.parse_args()
    count = int(arguments.scores)
    before = peak_mb()
    precision, dice, seconds = stream(count)
    print(f"ours    {count:.2g} scores  {seconds:8.2f} s  peak {peak_mb():6.0f} MB ({before:.0f} MB before)")
    print(f"        average precision {precision:.12f}  best Dice {dice:.6f}")
    if arguments.ours_alone:
        return
    from sklearn.metrics import average_precision_score

    values, truth = (np.concatenate(parts) for parts in zip(*volumes(count), strict=True))
    start = time.perf_counter()
    reference = average_precision_score(truth, values)
    reference_seconds = time.perf_counter() - start
    print(f"sklearn {count:.2g} scores  {reference_seconds:8.2f} s  peak {peak_mb():6.0f} MB")
    print(f"        average precision {reference:.12f}  difference {abs(reference - precision):.1e}")
    print(f"ratio   {reference_seconds / seconds:.1f}")


if __name__ == "__main__":
    main()
