# Training, inference and evaluation.


rule train:
    input:
        split="results/{study}/splits/run-{run}.tsv",
        arrays=training_arrays,
    output:
        checkpoint="results/{study}/models/{model}/run-{run}/model.ckpt",
        log="results/{study}/models/{model}/run-{run}/log.tsv",
        cost="results/{study}/models/{model}/run-{run}/cost.json",
    log:
        "results/logs/train/{study}/{model}/run-{run}.log",
    benchmark:
        "results/benchmarks/train/{study}/{model}/run-{run}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 8 if AT_PAPER_SCALE else 1
    resources:
        gpu=GPUS,
        device=CONFIG.device,
        processes=max(1, GPUS),
        workers=LOADER_WORKERS,
        weights=str(CONFIG.perceptual_weights),
        mem_mb=memory_mb(16000 if AT_PAPER_SCALE else 4000),
        runtime=runtime_min(2880 if AT_PAPER_SCALE else 60),
    params:
        settings=training_settings,
        state="results/state/{study}/{model}/run-{run}",
    shell:
        "brainuad train --settings {params.settings:q} --split {input.split} --state {params.state}"
        " --device {resources.device} --gpus {resources.processes} --threads {threads}"
        " --loader-workers {resources.workers} --weights-folder {resources.weights:q}"
        " --checkpoint {output.checkpoint} --log {output.log} --cost {output.cost} {input.arrays} 2> {log}"


rule calibrate:
    input:
        split="results/{study}/splits/run-{run}.tsv",
        arrays=calibration_arrays,
        checkpoint=method_checkpoint,
    output:
        "results/{study}/calibrations/{method}/run-{run}.json",
    log:
        "results/logs/calibrate/{study}/{method}/run-{run}.log",
    benchmark:
        "results/benchmarks/calibrate/{study}/{method}/run-{run}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 8 if AT_PAPER_SCALE else 1
    resources:
        gpu=min(1, GPUS),
        device=CONFIG.device,
        weights=str(CONFIG.perceptual_weights),
        mem_mb=memory_mb(16000 if AT_PAPER_SCALE else 4000),
        runtime=runtime_min(720 if AT_PAPER_SCALE else 60),
    params:
        settings=calibration_settings,
    shell:
        "brainuad calibrate --settings {params.settings:q} --split {input.split} --device {resources.device}"
        " --threads {threads} --weights-folder {resources.weights:q} --checkpoint {input.checkpoint}"
        " --output {output} {input.arrays} 2> {log}"


rule infer:
    input:
        split="results/{study}/splits/run-{run}.tsv",
        arrays=dataset_arrays,
        checkpoint=method_checkpoint,
        calibration=method_calibration,
    output:
        "results/{study}/maps/{method}/run-{run}/{dataset}.tsv",
    log:
        "results/logs/infer/{study}/{method}/run-{run}/{dataset}.log",
    benchmark:
        "results/benchmarks/infer/{study}/{method}/run-{run}/{dataset}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 8 if AT_PAPER_SCALE else 1
    resources:
        gpu=min(1, GPUS),
        device=CONFIG.device,
        weights=str(CONFIG.perceptual_weights),
        mem_mb=memory_mb(16000 if AT_PAPER_SCALE else 4000),
        runtime=runtime_min(1440 if AT_PAPER_SCALE else 60),
    params:
        settings=scoring_settings,
        maps="results/{study}/maps/{method}/run-{run}/{dataset}",
    shell:
        "brainuad infer --settings {params.settings:q} --split {input.split} --arrays {input.arrays}"
        " --checkpoint '{input.checkpoint}' --calibration '{input.calibration}' --device {resources.device}"
        " --threads {threads} --weights-folder {resources.weights:q}"
        " --maps {params.maps} --output {output} 2> {log}"


rule embed:
    input:
        split="results/{study}/splits/run-{run}.tsv",
        arrays=embedded_arrays,
        maps=embedded_maps,
        checkpoint=method_checkpoint,
    output:
        "results/{study}/embeddings/{method}/run-{run}.tsv",
    log:
        "results/logs/embed/{study}/{method}/run-{run}.log",
    conda:
        "../../envs/learning.yaml"
    threads: 8 if AT_PAPER_SCALE else 1
    resources:
        gpu=min(1, GPUS),
        device=CONFIG.device,
        mem_mb=memory_mb(16000 if AT_PAPER_SCALE else 4000),
        runtime=runtime_min(240 if AT_PAPER_SCALE else 60),
    params:
        settings=embedding_settings,
    shell:
        "brainuad embed --settings {params.settings:q} --split {input.split} --maps '{input.maps}'"
        " --checkpoint {input.checkpoint} --device {resources.device} --threads {threads}"
        " --output {output} {input.arrays} 2> {log}"


rule evaluate:
    input:
        split="results/{study}/splits/run-{run}.tsv",
        maps=method_maps,
        arrays=dataset_arrays,
        healthy_maps=healthy_maps,
        healthy_arrays=healthy_arrays,
    output:
        scores="results/{study}/scores/{method}/run-{run}/{dataset}.tsv",
        curve="results/{study}/scores/{method}/run-{run}/{dataset}_curve.tsv",
        seconds="results/{study}/scores/{method}/run-{run}/{dataset}_seconds.tsv",
    log:
        "results/logs/evaluate/{study}/{method}/run-{run}/{dataset}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=runtime_min(120),
    params:
        settings=evaluation_settings,
    shell:
        "brainuad evaluate --settings {params.settings:q} --split {input.split} --maps {input.maps}"
        " --arrays {input.arrays} --healthy-maps '{input.healthy_maps}'"
        " --healthy-arrays '{input.healthy_arrays}' --scores {output.scores} --curve {output.curve}"
        " --seconds {output.seconds} 2> {log}"


rule export:
    input:
        maps=method_maps,
        arrays=dataset_arrays,
        cohort="results/cohorts/{dataset}.tsv",
    output:
        "results/{study}/nifti/{method}/run-{run}/{dataset}.tsv",
    log:
        "results/logs/export/{study}/{method}/run-{run}/{dataset}.log",
    conda:
        "../../envs/preprocessing.yaml"
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(120),
    params:
        settings=export_settings,
    shell:
        "brainuad export --settings {params.settings:q} --maps {input.maps} --arrays {input.arrays}"
        " --cohort {input.cohort} --output {output} 2> {log}"
