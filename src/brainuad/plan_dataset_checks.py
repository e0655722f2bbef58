"""What is wrong with data sets before any folder is looked at: names, layouts, preprocessing, and modalities.

Every function gives a line per error, with the file and the key.
"""

from collections.abc import Iterable

from pydantic import ValidationError

from brainuad.config_errors import explain, unknown_name
from brainuad.datasets.registry import BUILT_IN
from brainuad.phantom.layout import layout_names
from brainuad.plan import Plan
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.study import Study


def layout_error(plan: Plan, name: str, where: str) -> str:
    """Why nobody knows how the files of a data set are named; empty where that is known."""
    own = plan.config.datasets.get(name)
    layout = own.format if own else None
    known = [*BUILT_IN, "bids"]
    if layout in known or (layout is None and name in BUILT_IN):
        return ""
    if layout is not None:
        return f"{where}: datasets.{name}.format = {layout!r} {unknown_name(layout, known)}"
    hint = "For a folder of your own set `format: bids`, or the name of a data set with its layout."
    return f"{where}: datasets.{name}: {name!r} {unknown_name(name, BUILT_IN)} {hint}"


def path_error(plan: Plan, name: str, where: str) -> str:
    """Why a data set without a path cannot be simulated: its layout has no phantom; empty where it can."""
    own, known = plan.config.datasets[name], layout_names()
    if not own.is_phantom or (name in known and own.format in (None, name)):
        return ""
    hint = (
        f"the folder of its scans. Without one, only {', '.join(known)} are simulated, in their own layouts."
    )
    return f"{where}: datasets.{name}.path: this key is required: {hint}"


def unused_errors(plan: Plan, name: str, where: str) -> Iterable[str]:
    """A data set that no chosen study uses: a misspelt name, or preprocessing that a target would ask for."""
    if line := layout_error(plan, name, where):
        yield line
        return
    try:
        plan.preprocessing(name)
    except ValidationError as error:
        yield from explain(error, f"{where}: datasets.{name}.preprocessing", PreprocessingSettings)


def phantom_errors(plan: Plan, where: str) -> Iterable[str]:
    """Numbers of simulated subjects of data sets that have no phantom."""
    known = layout_names()
    for name in sorted(plan.config.phantom.subjects.keys() - set(known)):
        yield f"{where}: phantom.subjects.{name}: {name!r} {unknown_name(name, known)}"


def modality_errors(plan: Plan, study: Study, file: str, where: str) -> Iterable[str]:
    """Data sets that cannot have what their recipe stacks, or do not preprocess it."""
    for name in study.splits:
        recipe = study.recipe_of(name)
        if recipe not in plan.recipes or name not in plan.known_datasets or layout_error(plan, name, where):
            continue  # said elsewhere
        wanted, published = plan.recipes[recipe].modalities, _published(plan, name)
        if lacking := [modality for modality in wanted if modality not in published]:
            hint = (
                f"but data set {name!r} has {', '.join(published)} alone. Choose another recipe or data set."
            )
            yield f"{file}: recipe {recipe!r} needs {', '.join(lacking)}, {hint}"
            continue
        try:
            settings = plan.preprocessing(name)
        except ValidationError:
            continue  # said elsewhere
        made = {*settings.modalities, *settings.optional_modalities}
        if lacking := [modality for modality in wanted if modality not in made]:
            hint = f"which is not preprocessed. Name it in `modalities` or `optional_modalities` of {where}: "
            key = f"datasets.{name}.preprocessing"
            yield f"{file}: recipe {recipe!r} of data set {name!r} needs {', '.join(lacking)}, {hint}{key}."


def _published(plan: Plan, name: str) -> tuple[str, ...]:
    """The modalities that scans of a data set may have; where its scans are of unknown layout, all of its own."""
    scans = plan.scans_of(name)
    return plan.dataset(name if layout_error(plan, scans, "") else scans).modalities
