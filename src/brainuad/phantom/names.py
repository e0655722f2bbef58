"""Names of simulated subjects. Imports nothing heavy: the workflow asks for them at every start."""

from brainuad.phantom.layout import find_layout, subject_name


def phantom_subjects(dataset: str, count: int, seed: int) -> list[str]:
    """The cohort names of the first `count` simulated subjects of a data set, such as IXI002.

    Where subjects are scans and people have several of them, `count` is that of the people.
    """
    layout = find_layout(dataset)
    if layout.own_files is not None and layout.own_files.people is not None:
        return [facts.subject for facts in layout.own_files.people(count, seed)]
    return [subject_name(layout, number) for number in phantom_numbers(dataset, count, seed)]


def phantom_numbers(dataset: str, count: int, seed: int) -> list[int]:
    """The subjects' published numbers: increasing, with gaps as the real ones, the same whatever the count."""
    from brainuad.randomness import seed_for

    layout = find_layout(dataset)
    numbers = []
    number = layout.first_number
    for index in range(count):
        numbers.append(number)
        number += 1 + seed_for(seed, "phantom", dataset, "gap", index) % layout.largest_gap
    return numbers
