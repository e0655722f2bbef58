# Significance, tables, figures and the report.


rule compare:
    input:
        compared_scores,
    output:
        report(
            "results/{study}/statistics/{dataset}.tsv",
            caption="../captions/statistics.rst",
            category="Significance",
            subcategory="{study}",
        ),
    log:
        "results/logs/compare/{study}/{dataset}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=runtime_min(60),
    params:
        settings=significance_settings,
    shell:
        "brainuad compare --settings {params.settings:q} --output {output} {input} 2> {log}"


rule tabulate:
    input:
        tabulated,
    output:
        csv=report(
            "results/{study}/tables/{table}.csv",
            caption="../captions/table.rst",
            category="Tables",
            subcategory="{study}",
        ),
        md="results/{study}/tables/{table}.md",
        tex="results/{study}/tables/{table}.tex",
    log:
        "results/logs/tabulate/{study}/{table}.log",
    conda:
        "../../envs/reporting.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=runtime_min(10),
    params:
        settings=table_settings,
    shell:
        "brainuad tabulate --settings {params.settings:q} --output {output.csv} {input} 2> {log}"


rule plot:
    input:
        scores=figure_scores,
        curves=figure_curves,
        seconds=figure_seconds,
        extras=figure_extras,
    output:
        svg="results/{study}/figures/{figure}.svg",
        png=report(
            "results/{study}/figures/{figure}.png",
            caption="../captions/figure.rst",
            category="Figures",
            subcategory="{study}",
        ),
    log:
        "results/logs/plot/{study}/{figure}.log",
    conda:
        "../../envs/reporting.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=runtime_min(20),
    params:
        settings=figure_settings,
    shell:
        "brainuad plot --settings {params.settings:q} --output {output.svg} {input.scores} 2> {log}"


rule report:
    input:
        scores=all_scores,
        statistics=statistics_targets,
        tables=table_targets,
        figures=figure_targets,
        quality=all_quality,
        curation=all_curation,
        ranking="results/leaderboard/ranking.tsv",
    output:
        "results/report/index.html",
    log:
        "results/logs/report.log",
    conda:
        "../../envs/reporting.yaml"
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    params:
        settings=report_settings,
    shell:
        # Those of all studies may be longer than a word of a command can be.
        "brainuad report --settings - --output {output} 2> {log} <<< {params.settings:q}"
