"""Seconds of a dry run of every study at paper scale, against an empty Snakemake workflow.

Run by hand from the repository: `python benchmarks/dry_run.py [--studies behrendt2023 ...]`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def seconds_of(command: list[str], folder: Path) -> tuple[float, str]:
    """Wall time of a command and what it printed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    started = time.perf_counter()
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, result.stdout + result.stderr


def main() -> None:
    every = sorted(path.stem for path in (REPOSITORY / "workflow/studies").glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", nargs="+", choices=every, default=every)
    studies = parser.parse_args().studies
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "1", "-n", "--quiet", "rules"]
    overrides = ["--config", f"studies=[{','.join(studies)}]", "scale=paper"]
    subjects = "phantom={subjects: {ixi: 560, brats21: 1251, mslub: 30}}"
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "Snakefile"
        empty.write_text("rule all:\n    output: 'x'\n    shell: 'touch x'\n")
        reference, _ = seconds_of(snakemake, Path(folder))
        whole = [*snakemake, "-s", str(REPOSITORY / "Snakefile"), "--directory", folder]
        config = ["--configfile", str(REPOSITORY / "config.yaml"), *overrides, subjects]
        seconds, text = seconds_of([*whole, *config], Path(folder))
    jobs = [line for line in text.splitlines() if line.startswith("total")]
    print(f"{', '.join(studies)} at paper scale, {jobs[0].split()[1]} jobs: {seconds:.1f} s")
    print(f"an empty workflow: {reference:.1f} s, ratio {seconds / reference:.1f}")


if __name__ == "__main__":
    main()
