"""The programs `brainuad` and `snakemake`, kept loaded: each call is a fork of one process with all imports done.

A workflow of some hundred short jobs spends most of its time importing libraries. `serve` starts the process; the
folder that it returns holds programs that hand their arguments, folder, environment and streams over to it. What was
called goes on when its caller is killed, since it is no child of it.
"""

import importlib
import os
import pkgutil
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

IMPORTED_LATE = (
    *("deepbet", "matplotlib.pyplot", "mlxtend.evaluate", "nibabel", "SimpleITK", "torchmetrics"),
    *("scipy.ndimage", "scipy.stats", "skimage.metrics", "skimage.filters", "sklearn.metrics"),
    *("snakemake.cli", "snakemake.workflow", "snakemake.report.html_reporter"),
)
CLIENT = """#!{python} -SE
import os, pickle, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"x"], [0, 1, 2])
    server.sendall(pickle.dumps((sys.argv, os.getcwd(), dict(os.environ))))
    server.shutdown(socket.SHUT_WR)
    code = server.recv(8)
sys.exit(int(code or 1))
"""


@contextmanager
def serve(folder: Path) -> Iterator[Path]:
    """A folder for PATH with the programs, as long as the context lasts."""
    folder.mkdir()
    address = str(folder / "socket")
    for name in ("brainuad", "snakemake"):
        client = folder / name
        client.write_text(CLIENT.format(python=sys.executable, address=address))
        client.chmod(0o755)
    process = get_context("spawn").Process(target=_serve, args=(address,))
    process.start()
    while not Path(address).exists():
        assert process.is_alive(), "the programs cannot be loaded"
        time.sleep(0.1)
    try:
        yield folder
    finally:
        process.kill()
        process.join()
        shutil.rmtree(folder)


def _load() -> None:
    """Imports all modules of the project, and what they import when they are used."""
    import brainuad

    for module in pkgutil.walk_packages(brainuad.__path__, "brainuad."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in IMPORTED_LATE:
        importlib.import_module(name)


def _serve(address: str) -> None:
    _load()
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # finished calls leave nothing behind
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(connection)
            connection.close()


def _answer(connection: socket.socket) -> None:
    """Runs one call in a process of its own and sends its exit status."""
    import pickle

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    arguments, folder, environment = pickle.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin = os.fdopen(0, closefd=False)  # multiprocessing has put an empty one there
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    code = _call(Path(arguments[0]).name)
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(code).encode())
    os._exit(0)


def _call(name: str) -> int:
    from snakemake.cli import main

    from brainuad.cli.main import app

    try:
        app() if name == "brainuad" else main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
