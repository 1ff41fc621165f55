rule train:
    """One row of the table: spec in, record out."""
    input:
        digest=lambda wildcards: STUDY.digest(STUDY.trials[wildcards.trial].fold),
    output:
        STUDY.path("trials/{trial}/record.json"),
    log:
        STUDY.path("trials/{trial}/log.txt"),
    retries: 1
    conda:
        "../../envs/gamtune.yaml"
    threads: lambda wildcards: STUDY.trials[wildcards.trial].threads
    resources:
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=1500,
    params:
        code=training_code(),  # an edit or an upgrade trains again, a reworded comment does not
        spec=lambda wildcards: STUDY.trials[wildcards.trial].to_json(),  # canonical: all that identifies a row
        store=STUDY.store,
        leave=STUDY.leaves(),
    message:
        "train {wildcards.trial}"
    shell:
        "python -m gamtune train --spec {params.spec:q} --data {input.digest:q}"
        " --record {output:q} --store {params.store:q} --leave {params.leave:q}"
        " --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


rule propose:
    """The rows of a round, or of a rung, from what the rows before it came to; a slot may stay empty."""
    input:
        lambda wildcards: STUDY.before(wildcards.stage),
    output:
        STUDY.path("{stage}/proposals.csv"),
    log:
        STUDY.path("{stage}/log.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.search.propose", *STUDY.search_implementations),
        rows=STUDY.table_digest,
        config=lambda wildcards: STUDY.proposing(wildcards.stage),
        study=subpath(output[0], ancestor=3),
        number=lambda wildcards: STUDY.stages.index(wildcards.stage) + 1,
    message:
        "{wildcards.stage}: propose rows"
    shell:
        "python -m gamtune propose {params.config:q} --study {params.study:q} --stage {params.number:q} > {log:q} 2>&1"


rule train_proposed:
    """A slot of a round or rung; a rung goes on where the one before it stopped."""
    input:
        proposals=STUDY.path("{stage}/proposals.csv"),
        digest=STUDY.digest(None),
    output:
        STUDY.path("{stage}/{slot}/record.json"),
    log:
        STUDY.path("{stage}/{slot}/log.txt"),
    retries: 1
    conda:
        "../../envs/gamtune.yaml"
    threads: STUDY.threads
    resources:
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=1500,
    params:
        code=training_code(),
        store=STUDY.store,
        leave=lambda wildcards: STUDY.leaves(wildcards.stage),
        continues=lambda wildcards: STUDY.continues(wildcards.stage),
    message:
        "train {wildcards.stage}, row {wildcards.slot}"
    shell:
        "python -m gamtune train --proposals {input.proposals:q} --slot {wildcards.slot:q}"
        " --data {input.digest:q} --record {output:q} --store {params.store:q} --leave {params.leave:q}"
        " --continues {params.continues:q} --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


rule summarise:
    """The table joined with its records, failed rows with their reason."""
    input:
        table=STUDY.path("table.csv"),
        proposals=STUDY.proposals,
        records=STUDY.records,
        digest=STUDY.path("data/digest.json"),
    output:
        STUDY.path("summary.csv"),
    log:
        STUDY.path("logs/summarise.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.analysis.summary"),
        config=STUDY.step_config("study", "data", "search", "space", "training"),
        study=subpath(output[0], parent=True),
    message:
        "summary of all trials"
    shell:
        "python -m gamtune summarise {params.config:q} --study {params.study:q} > {log:q} 2>&1"
