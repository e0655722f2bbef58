"""A SLURM cluster for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, why_unavailable
from tests.slurm.runs import SlurmRun, end_processes_in, make_slurm_cancel


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster of three nodes; tests are skipped, with the reason, where none can be started."""
    reason = why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    running = Cluster(tmp_path_factory.mktemp("slurm"))
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def slurm_run(cluster: Cluster, tmp_path: Path) -> Iterator[SlurmRun]:
    """Snakemake runs in an empty folder; what a test leaves behind is cancelled and ended."""
    yield SlurmRun(tmp_path)
    make_slurm_cancel(tmp_path)
    end_processes_in(tmp_path)
