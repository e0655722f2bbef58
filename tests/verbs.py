"""The verbs of `brainuad`, called as the workflow and its users call them."""

from typer.testing import CliRunner

from brainuad.cli.main import app


def run(*arguments: object) -> None:
    """Calls a verb that must succeed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


def error_of(*arguments: object) -> str:
    """What the user reads of a verb that must fail, which is never a traceback."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("Error: ")]
    assert starts, result.stderr
    assert "Traceback" not in result.stderr
    return "\n".join(lines[starts[-1] :])
