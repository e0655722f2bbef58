"""A real SLURM on one machine: munged, slurmctld and three slurmd, the third with a make-believe GPU.

By hand, as root: `python tests/slurm/cluster.py start FOLDER`, and later the same with `stop`.
In tests: the session fixture `cluster` of conftest.py. `make slurm-tools` installs SLURM (Debian, Ubuntu).

SLURM's programs find their cluster through /etc/slurm/slurm.conf alone, so that file is a link into FOLDER
while the cluster runs; what lay there before is put back by `stop`.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
NODES = ("n1", "n2", "n3")
CONFIGURATION = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf")
MARKER = "# brain-uad test cluster"
SET_ASIDE = ".before-test-cluster"
PR_SET_PDEATHSIG = 1
IDLE_NODES = ("sinfo", "--noheader", "--partition=main", "--states=idle", "--format=%D")

SLURM_CONF = """{marker}
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
SlurmctldPort={ports[0]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerParameters=sched_interval=1,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
SlurmdTimeout=20
KillWait=5
MinJobAge=600
JobRequeue=1
NodeName=DEFAULT CPUs={cpus} Sockets=1 CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory_mb}
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]}
NodeName=n3 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[3]} Gres=gpu:1
PartitionName=main Nodes=n[1-3] Default=YES MaxTime=24:00:00 State=UP
PartitionName=gpu Nodes=n3 MaxTime=24:00:00 State=UP
"""
GRES_CONF = f"{MARKER}\nNodeName=n3 Name=gpu File=/dev/null\n"


def why_unavailable() -> str | None:
    """Why a test cluster cannot run on this machine, or None when it can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"SLURM is not installed (no {', '.join(missing)}); `make slurm-tools` installs it"
    if os.geteuid() != 0:
        return "a test cluster is started by root only"
    link = CONFIGURATION / "slurm.conf"
    if _is_ours(link):
        folder = link.readlink().parent
        return f"a test cluster runs already; stop it: {__file__} stop {folder}" if _alive(folder) else None
    if link.exists() and _answers():
        return "this machine belongs to a SLURM cluster"
    return None


@dataclass(frozen=True)
class Cluster:
    """A cluster whose configuration, logs and state lie in `folder` (a short path, for munged's socket)."""

    folder: Path
    cpus: int = 2
    memory_mb: int = 8000
    outlive_parent: bool = False

    def start(self) -> None:
        """Bring the cluster up and wait until its three nodes are idle; on failure nothing is left behind."""
        try:
            self._write_configuration()
            _link_configuration(self.folder)
            self._run("munged", *self._munge_options())
            self._wait_for("munged", lambda: (self.folder / "munge.sock").exists())
            self._run("slurmctld", "-D", "-c")
            for node in NODES:
                self.start_node(node)
            self._wait_for("idle nodes", lambda: _output(*IDLE_NODES).strip() == str(len(NODES)))
        except BaseException:
            self.stop()
            raise

    def start_node(self, node: str) -> None:
        """Start the daemon of a node, also after `kill_node`; jobs that survived are taken over."""
        self._run("slurmd", "-D", "-N", node, name=node)

    def kill_node(self, node: str) -> None:
        """Kill the daemon of a node as a power cut would; processes of its jobs go on."""
        _end(self._record(node), signal.SIGKILL)

    def stop(self) -> None:
        """Cancel all jobs, stop all daemons and put back the files that lay in /etc/slurm."""
        if _started(self._record("slurmctld")) is not None:
            _output("scancel", "--user", "root")
            _output("scancel", "--user", "root", "--full", "--signal=KILL")
            _wait(lambda: not _output("squeue", "-h").strip(), patience_s=5)
        for name in (*NODES, "slurmctld", "munged"):
            _end(self._record(name), signal.SIGTERM)
        for process in _processes_of(self.folder):
            process.kill()
        _unlink_configuration(self.folder)

    def _write_configuration(self) -> None:
        for part in ("state", "spool"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        key = self.folder / "munge.key"
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        settings = {"folder": self.folder, "cpus": self.cpus, "memory_mb": self.memory_mb, "marker": MARKER}
        host = socket.gethostname().split(".")[0]
        text = SLURM_CONF.format(host=host, ports=_free_ports(1 + len(NODES)), **settings)
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(GRES_CONF)

    def _munge_options(self) -> list[str]:
        places = [("socket", "sock"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed")]
        options = [f"--{key}={self.folder}/munge.{ending}" for key, ending in (*places, ("key-file", "key"))]
        return ["--foreground", "--force", *options]

    def _wait_for(self, what: str, done: Callable[[], bool]) -> None:
        """Wait until `done`; RuntimeError when a daemon has died or half a minute has passed."""

        def over() -> bool:
            return done() or any(_started(record) is None for record in self.folder.glob("*.started"))

        if not _wait(over, patience_s=30) or not done():
            raise RuntimeError(f"test cluster: no {what}; the daemons' messages lie in {self.folder}/*.out")

    def _record(self, name: str) -> Path:
        """Where the process number of a daemon is kept, for `stop` may be called by another process."""
        return self.folder / f"{name}.started"

    def _run(self, *command: str, name: str = "") -> None:
        name = name or command[0]
        with (self.folder / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=None if self.outlive_parent else _die_with_parent,
            )
        self._record(name).write_text(f"{process.pid} {psutil.Process(process.pid).create_time()}")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _output(*command: str) -> str:
    """What a SLURM client prints; nothing when it fails or hangs, as it does without slurmctld."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except subprocess.TimeoutExpired:
        return ""


def _answers() -> bool:
    return bool(_output("sinfo", "-h").strip())


def _wait(done: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _started(record: Path) -> psutil.Process | None:
    """The running process that a record tells of; None when it has ended, whoever has its number now."""
    try:
        pid, created = record.read_text().split()
        process = psutil.Process(int(pid))
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    same = abs(process.create_time() - float(created)) < 1 and process.status() != psutil.STATUS_ZOMBIE
    return process if same else None


def _alive(folder: Path) -> bool:
    return _started(folder / "slurmctld.started") is not None


def _end(record: Path, sign: signal.Signals) -> None:
    process = _started(record)
    if process is not None:
        process.send_signal(sign)
        if not _wait(lambda: _started(record) is None, patience_s=5):
            process.kill()
    record.unlink(missing_ok=True)


def _processes_of(folder: Path) -> Iterable[psutil.Process]:
    """The job supervisors (slurmstepd) of this cluster, which outlive slurmd, and their jobs."""
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] != "slurmstepd":
                continue
            descendants = process.children(recursive=True)
            if any(Path(file.path).is_relative_to(folder) for file in process.open_files()):
                yield from [*descendants, process]
        except psutil.Error:
            continue


def _is_ours(file: Path) -> bool:
    if not file.is_symlink():
        return False
    target = file.readlink()
    return not target.exists() or target.read_text().startswith(MARKER)


def _link_configuration(folder: Path) -> None:
    CONFIGURATION.mkdir(exist_ok=True)
    for name in FILES:
        link = CONFIGURATION / name
        if _is_ours(link):
            link.unlink()
        elif link.exists():
            link.rename(link.with_name(name + SET_ASIDE))
        link.symlink_to(folder / name)


def _unlink_configuration(folder: Path) -> None:
    for name in FILES:
        link = CONFIGURATION / name
        if link.is_symlink() and link.readlink() == folder / name:
            link.unlink()
            kept = link.with_name(name + SET_ASIDE)
            if kept.exists():
                kept.rename(link)


def main(arguments: list[str]) -> int:
    """Start or stop a cluster; the exit status."""
    if len(arguments) != 2 or arguments[0] not in {"start", "stop"}:
        sys.stderr.write(f"usage: {Path(__file__).name} start|stop FOLDER\n")
        return 2
    cluster = Cluster(Path(arguments[1]).resolve(), outlive_parent=True)
    if arguments[0] == "stop":
        cluster.stop()
        return 0
    reason = why_unavailable()
    if reason is not None:
        sys.stderr.write(f"no test cluster: {reason}\n")
        return 1
    cluster.start()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
