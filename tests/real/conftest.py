"""Runs of the workflow on real scans use programs that are loaded once."""

from tests.workflow.conftest import warm_program

__all__ = ["warm_program"]
