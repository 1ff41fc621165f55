rule train:
    """Train one trial of the parameter table."""
    input:
        data=lambda wildcards: PLAN.data_info(PLAN.trials[wildcards.trial].fold),
    output:
        "results/{study}/trials/{trial}/record.json",
    log:
        "results/{study}/trials/{trial}/log.txt",
    retries: 1
    conda:
        "../../envs/gamtune.yaml"
    threads: lambda wildcards: PLAN.trials[wildcards.trial].threads
    resources:
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=1500,
    params:
        code=training_code(),  # changed code or another version trains again, a changed comment does not
        spec=lambda wildcards: PLAN.trials[wildcards.trial].to_json(),
        store=PLAN.store,
        leave=PLAN.leaves(),
    message:
        "train {wildcards.trial}"
    shell:
        "python -m gamtune train --spec {params.spec:q}"
        " --data {input.data:q} --record {output:q} --store {params.store:q} --leave {params.leave:q}"
        " --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


rule propose:
    """Propose the trials of a round or rung from the results of earlier trials; a slot may stay empty."""
    input:
        lambda wildcards: PLAN.before(wildcards.stage),
    output:
        "results/{study}/{stage}/slots.csv",
    log:
        "results/{study}/{stage}/log.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.search.propose", *PLAN.search_implementations),
        rows=PLAN.table_fingerprint,
        config=lambda wildcards: PLAN.proposing(wildcards.stage),
        study=subpath(output[0], ancestor=3),
        number=lambda wildcards: PLAN.number(wildcards.stage),
    message:
        "propose {wildcards.stage}"
    shell:
        "python -m gamtune propose {params.config:q} --study {params.study:q} --stage {params.number:q} > {log:q} 2>&1"


rule train_slot:
    """Train the trial of one slot of a round or rung; a rung resumes its trials where the rung before stopped."""
    input:
        slots="results/{study}/{stage}/slots.csv",
        data=lambda wildcards: PLAN.slot_data(wildcards.stage, wildcards.slot),
    output:
        "results/{study}/{stage}/{slot}/record.json",
    log:
        "results/{study}/{stage}/{slot}/log.txt",
    retries: 1
    conda:
        "../../envs/gamtune.yaml"
    threads: PLAN.threads
    resources:
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=1500,
    params:
        code=training_code(),
        store=PLAN.store,
        leave=lambda wildcards: PLAN.leaves(wildcards.stage),
        continues=lambda wildcards: PLAN.continues(wildcards.stage),
    message:
        "train {wildcards.stage}/{wildcards.slot}"
    shell:
        "python -m gamtune train --slots {input.slots:q} --slot {wildcards.slot:q}"
        " --data {input.data:q} --record {output:q} --store {params.store:q} --leave {params.leave:q}"
        " --continues {params.continues:q} --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


use rule train_slot as confirm with:
    wildcard_constraints:
        stage="confirm",
        slot=r"\w+/\d+",


use rule train_slot as final with:
    wildcard_constraints:
        stage="final",
        slot=r"\w+/\d+",


rule summarise:
    """Join the parameter table with the records of its trials; a failed trial has the reason instead of metrics."""
    input:
        table="results/{study}/table.csv",
        slots=expand("results/{study}/{stage}/slots.csv", stage=PLAN.stages, allow_missing=True),
        records=expand("results/{study}/{folder}/record.json", folder=PLAN.folders, allow_missing=True),
        dataset="results/{study}/data/dataset.json",
    output:
        "results/{study}/summary.csv",
    log:
        "results/{study}/logs/summarise.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.analysis.summary"),
        config=PLAN.step_config("study", "data", "selection.on", "search", "space", "training"),
        study=subpath(output[0], parent=True),
    message:
        "summarise the trials"
    shell:
        "python -m gamtune summarise {params.config:q} --study {params.study:q} > {log:q} 2>&1"
