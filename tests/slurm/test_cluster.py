"""The test cluster leaves the machine as it found it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.slurm.cluster import CONFIGURATION, FILES, Cluster, why_unavailable

pytestmark = pytest.mark.slurm


@pytest.fixture
def foreign_configuration() -> Iterator[Path]:
    """A slurm.conf of a cluster that does not answer."""
    reason = why_unavailable()
    file = CONFIGURATION / "slurm.conf"
    if reason is not None or file.exists():
        pytest.skip(reason or f"{file} is somebody's")
    file.write_text("ClusterName=another\nSlurmctldHost=localhost\n")
    yield file
    file.unlink(missing_ok=True)


def daemons() -> set[str]:
    # The attributes are asked for at once: other tests' processes end while this looks at them.
    found = [process.info for process in psutil.process_iter(["name", "status"])]
    running = {process["name"] for process in found if process["status"] != psutil.STATUS_ZOMBIE}
    return running & {"munged", "slurmctld", "slurmd", "slurmstepd"}


def test_stop_puts_back_the_configuration_that_lay_there(foreign_configuration: Path, tmp_path: Path) -> None:
    before = foreign_configuration.read_text()
    cluster = Cluster(tmp_path)
    cluster.start()
    assert foreign_configuration.readlink() == tmp_path / "slurm.conf"
    cluster.stop()
    assert not foreign_configuration.is_symlink()
    assert foreign_configuration.read_text() == before
    assert daemons() == set()


def test_failed_start_leaves_nothing_behind(tmp_path: Path) -> None:
    reason = why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    with pytest.raises(RuntimeError, match="no idle nodes"):
        Cluster(tmp_path, cpus=-1).start()
    assert daemons() == set()
    assert not any((CONFIGURATION / name).is_symlink() for name in FILES)
