# The leaderboard across studies: every method under one protocol, and their ranking.


include: "../leaderboard.smk"


rule rescore:
    input:
        split="results/{study}/splits/run-{run}.tsv",
        maps=method_maps,
        arrays=dataset_arrays,
        patient_maps=lent_patient_maps,
        patient_arrays=lent_patient_arrays,
        healthy_maps=lent_healthy_maps,
        healthy_arrays=lent_healthy_arrays,
    output:
        "results/leaderboard/scores/{study}/{method}/run-{run}/{dataset}.tsv",
    log:
        "results/logs/rescore/{study}/{method}/run-{run}/{dataset}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=runtime_min(120),
    params:
        settings=rescoring_settings,
    shell:
        "brainuad rescore --settings {params.settings:q} --split {input.split} --maps {input.maps}"
        " --arrays {input.arrays}"
        " --patient-maps '{input.patient_maps}' --patient-arrays '{input.patient_arrays}'"
        " --healthy-maps '{input.healthy_maps}' --healthy-arrays '{input.healthy_arrays}'"
        " --scores {output} 2> {log}"


rule rank:
    input:
        common_scores,
    output:
        ranking=report(
            "results/leaderboard/ranking.tsv",
            caption="../captions/ranking.rst",
            category="Leaderboard",
        ),
        entrants="results/leaderboard/entrants.tsv",
        across="results/leaderboard/across.tsv",
        agreement="results/leaderboard/agreement.tsv",
        not_scored="results/leaderboard/not_scored.tsv",
        pairs=expand("results/leaderboard/pairs/{name}.tsv", name=RANKING.contests),
    log:
        "results/logs/rank.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        mem_mb=memory_mb(4000),
        runtime=runtime_min(60),
    params:
        settings=ranking_settings,
    shell:
        # Those of all studies may be longer than a word of a command can be.
        "brainuad rank --settings - --output {output.ranking} 2> {log} <<< {params.settings:q}"
