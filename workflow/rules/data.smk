# From raw scans to packed arrays and splits.


rule simulate:
    output:
        "results/phantom/{dataset}.json",
    params:
        settings=simulation_settings,
        folder="results/phantom/{dataset}",
    log:
        "results/logs/simulate/{dataset}.log",
    benchmark:
        "results/benchmarks/simulate/{dataset}.tsv"
    threads: 2
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    conda:
        "../../envs/preprocessing.yaml"
    shell:
        "brainuad simulate --settings {params.settings:q} --atlas {CONFIG.atlas_folder}"
        " --folder {params.folder} --workers {threads} --output {output} 2> {log}"


rule index:
    input:
        phantom_marker,
    output:
        "results/cohorts/{dataset}.tsv",
    params:
        settings=index_settings,
    log:
        "results/logs/index/{dataset}.log",
    resources:
        mem_mb=memory_mb(1000),
        runtime=runtime_min(10),
    conda:
        "../../envs/preprocessing.yaml"
    shell:
        "brainuad index --settings {params.settings:q} --output {output} 2> {log}"


rule preprocess:
    input:
        cohort=ancient("results/cohorts/{dataset}.tsv"),
    output:
        "results/derivatives/{dataset}/sub-{subject}/quality.json",
    params:
        settings=preprocess_settings,
    log:
        "results/logs/preprocess/{dataset}/{subject}.log",
    benchmark:
        "results/benchmarks/preprocess/{dataset}/{subject}.tsv"
    resources:
        mem_mb=memory_mb(6000),
        runtime=runtime_min(30),
    conda:
        "../../envs/preprocessing.yaml"
    shell:
        "brainuad preprocess --settings {params.settings:q} --cohort {input.cohort} --threads {threads}"
        " --subject {wildcards.subject} --atlas {CONFIG.atlas_folder} --output {output} 2> {log}"


rule assess:
    input:
        cohort="results/cohorts/{dataset}.tsv",
        records=subject_records,
    output:
        table="results/derivatives/{dataset}/quality.tsv",
        mosaic=report(
            "results/derivatives/{dataset}/mosaic.png",
            caption="../captions/mosaic.rst",
            category="Quality",
        ),
    params:
        max_failed_share=CONFIG.max_failed_share,
    log:
        "results/logs/assess/{dataset}.log",
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    conda:
        "../../envs/preprocessing.yaml"
    shell:
        "brainuad assess --cohort {input.cohort} --max-failed-share {params.max_failed_share}"
        " --table {output.table} 2> {log}"


rule pack:
    input:
        "results/derivatives/{dataset}/quality.tsv",
    output:
        index="results/arrays/{dataset}/{recipe}/index.tsv",
        images="results/arrays/{dataset}/{recipe}/images.npy",
        lesion="results/arrays/{dataset}/{recipe}/lesion.npy",
        brain="results/arrays/{dataset}/{recipe}/brain.npy",
    params:
        settings=pack_settings,
    log:
        "results/logs/pack/{dataset}/{recipe}.log",
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(240),
    conda:
        "../../envs/preprocessing.yaml"
    shell:
        "brainuad pack --settings {params.settings:q} --quality {input} --output {output.index} 2> {log}"


rule split:
    input:
        split_indices,
    output:
        "results/{study}/splits/run-{run}.tsv",
    params:
        settings=split_settings,
    log:
        "results/logs/split/{study}/run-{run}.log",
    resources:
        mem_mb=memory_mb(1000),
        runtime=runtime_min(10),
    conda:
        "../../envs/preprocessing.yaml"
    shell:
        "brainuad split --settings {params.settings:q} --run {wildcards.run} --output {output}"
        " {input} 2> {log}"
