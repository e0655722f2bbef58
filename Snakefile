# brain-uad: from raw scans to tables and figures. Usage: README.md; settings: config.yaml.

from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "workflow/common.smk"
include: "workflow/rules/curation.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/leaderboard.smk"


onstart:
    check_requirements()


rule all:
    default_target: True
    input:
        tables=table_targets,
        figures=figure_targets,
        statistics=statistics_targets,
        report="results/report/index.html",


# Everything that the papers show.
rule tables:
    input:
        table_targets,
        figure_targets,


# The figures alone.
rule figures:
    input:
        figure_targets,


localrules:
    all,
    tables,
    figures,
