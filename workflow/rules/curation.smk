# From radiology reports to a normal cohort.


include: "../curation.smk"


localrules:
    curate,


rule curate:
    input:
        curation_targets,


rule train_labeller:
    input:
        training_input,
    output:
        labeller="results/curation/{dataset}/labeller/labeller.json",
        weights="results/curation/{dataset}/labeller/weights.pt",
    log:
        "results/logs/train_labeller/{dataset}.log",
    benchmark:
        "results/benchmarks/train_labeller/{dataset}.tsv"
    conda:
        "../../envs/curation.yaml"
    threads: 2
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(120),
    params:
        settings=labeller_settings,
        version=STAGE_VERSIONS["train_labeller"],
        seed=CONFIG.seed,
        labelled=labelled_reports,
        reports=reports_table,
    shell:
        "brainuad train-labeller --settings {params.settings:q} --seed {params.seed} --threads {threads}"
        " --labelled={params.labelled:q} --reports {params.reports:q}"
        " --output results/curation/{wildcards.dataset}/labeller > {log} 2>&1"


rule label_reports:
    input:
        reports=reports_input,
        labels=labels_input,
    output:
        "results/curation/{dataset}/labels.tsv",
    log:
        "results/logs/label_reports/{dataset}.log",
    benchmark:
        "results/benchmarks/label_reports/{dataset}.tsv"
    conda:
        "../../envs/curation.yaml"
    threads: 2
    resources:
        mem_mb=memory_mb(3000),
        runtime=runtime_min(60),
    params:
        settings=labelling_settings,
        reports=reports_table,
    shell:
        # The progress is shown and logged; with Snakemake's pipefail a failure of the verb is one of the pipe.
        "brainuad label-reports --settings {params.settings:q} --reports {params.reports:q}"
        " --workers {threads} --output {output} 2>&1 | tee {log} >&2"


# The scans to preprocess are known when the cohort is: a hospital has many more than that.
checkpoint select_cohort:
    input:
        tables=export_tables,
        labels="results/curation/{dataset}/labels.tsv",
        review=review_input,
    output:
        selection="results/curation/{dataset}/selection.tsv",
        flow="results/curation/{dataset}/flow.tsv",
        remarks="results/curation/{dataset}/remarks.tsv",
    log:
        "results/logs/select_cohort/{dataset}.log",
    conda:
        "../../envs/curation.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=runtime_min(30),
    params:
        settings=selection_settings,
        scans=scans_table,
        reports=reports_table,
        review=review_table,
        truth=truth_table,
    shell:
        "brainuad select-cohort --settings {params.settings:q} --scans {params.scans:q}"
        " --reports {params.reports:q} --labels {input.labels} --review={params.review:q} --truth={params.truth:q}"
        " --selection {output.selection} --flow {output.flow} --remarks {output.remarks} 2>&1 | tee {log} >&2"


rule review_sheet:
    input:
        tables=export_tables,
        selection="results/curation/{dataset}/selection.tsv",
        review=review_input,
    output:
        "results/curation/{dataset}/review.html",
    log:
        "results/logs/review_sheet/{dataset}.log",
    conda:
        "../../envs/curation.yaml"
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(240),
    params:
        settings=review_settings,
        scans=scans_table,
        review=review_table,
        state="results/state/curation/{dataset}/cards",
    shell:
        "brainuad review-sheet --settings {params.settings:q} --scans {params.scans:q}"
        " --selection {input.selection} --review={params.review:q} --state {params.state}"
        " --output {output} 2>&1 | tee {log} >&2"


rule compare_labellers:
    input:
        labels="results/curation/{dataset}/labels.tsv",
        # A review changes nothing in what reports say.
        selection=ancient("results/curation/{dataset}/selection.tsv"),
        labeller=other_labellers,
    output:
        "results/curation/{dataset}/agreement.tsv",
    log:
        "results/logs/compare_labellers/{dataset}.log",
    conda:
        "../../envs/curation.yaml"
    threads: 2
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    params:
        settings=comparison_settings,
        reports=reports_table,
        truth=truth_table,
    shell:
        "brainuad compare-labellers --settings {params.settings:q} --reports {params.reports:q}"
        " --labels {input.labels} --selection {input.selection} --truth={params.truth:q}"
        " --workers {threads} --output {output} 2> {log}"
