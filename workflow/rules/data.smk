# From raw scans to packed arrays and splits.


rule simulate:
    output:
        "results/phantom/{dataset}.json",
    log:
        "results/logs/simulate/{dataset}.log",
    benchmark:
        "results/benchmarks/simulate/{dataset}.tsv"
    conda:
        "../../envs/preprocessing.yaml"
    threads: 2
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    params:
        settings=simulation_settings,
        folder="results/phantom/{dataset}",
        atlas=CONFIG.atlas_folder,
    shell:
        "brainuad simulate --settings {params.settings:q} --atlas {params.atlas:q}"
        " --folder {params.folder} --workers {threads} --output {output} 2> {log}"


rule index:
    input:
        scans=phantom_marker,
        selection=cohort_selection,
    output:
        "results/cohorts/{dataset}.tsv",
    log:
        "results/logs/index/{dataset}.log",
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=runtime_min(10),
    params:
        settings=index_settings,
    shell:
        "brainuad index --settings {params.settings:q} --output {output} 2> {log}"


rule preprocess:
    input:
        cohort=ancient("results/cohorts/{dataset}.tsv"),
    output:
        "results/derivatives/{dataset}/sub-{subject}/quality.json",
    log:
        "results/logs/preprocess/{dataset}/{subject}.log",
    benchmark:
        "results/benchmarks/preprocess/{dataset}/{subject}.tsv"
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        gpu=preprocess_gpus,
        mem_mb=memory_mb(6000),
        runtime=runtime_min(30),
    params:
        settings=preprocess_settings,
        atlas=CONFIG.atlas_folder,
    shell:
        "brainuad preprocess --settings {params.settings:q} --cohort {input.cohort} --threads {threads}"
        " --subject {wildcards.subject} --atlas {params.atlas:q} --output {output} 2> {log}"


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
    log:
        "results/logs/assess/{dataset}.log",
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    shell:
        "brainuad assess --cohort {input.cohort} --table {output.table} 2> {log}"


rule pack:
    input:
        quality="results/derivatives/{dataset}/quality.tsv",
        references=histogram_references,
    output:
        index="results/arrays/{dataset}/{recipe}/index.tsv",
        images="results/arrays/{dataset}/{recipe}/images.npy",
        lesion="results/arrays/{dataset}/{recipe}/lesion.npy",
        brain="results/arrays/{dataset}/{recipe}/brain.npy",
    log:
        "results/logs/pack/{dataset}/{recipe}.log",
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(240),
        # No result depends on it, so that it is no parameter, whose change would pack again.
        max_failed_share=str(CONFIG.max_failed_share),
    params:
        settings=pack_settings,
    shell:
        "brainuad pack --settings {params.settings:q} --quality {input.quality}"
        " --max-failed-share {resources.max_failed_share} --output {output.index} 2> {log}"


rule split:
    input:
        split_indices,
    output:
        "results/{study}/splits/run-{run}.tsv",
    log:
        "results/logs/split/{study}/run-{run}.log",
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=runtime_min(10),
    params:
        settings=split_settings,
    shell:
        "brainuad split --settings {params.settings:q} --run {wildcards.run} --output {output}"
        " {input} 2> {log}"


rule plant:
    input:
        split="results/{study}/splits/run-0.tsv",
        arrays=planting_arrays,
    output:
        index="results/{study}/synthetic/{dataset}/index.tsv",
        images="results/{study}/synthetic/{dataset}/images.npy",
        clean="results/{study}/synthetic/{dataset}/clean.npy",
        lesion="results/{study}/synthetic/{dataset}/lesion.npy",
        brain="results/{study}/synthetic/{dataset}/brain.npy",
    log:
        "results/logs/plant/{study}/{dataset}.log",
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=runtime_min(30),
    params:
        settings=planting_settings,
    shell:
        "brainuad plant --settings {params.settings:q} --split {input.split} --arrays {input.arrays}"
        " --output {output.index} 2> {log}"
