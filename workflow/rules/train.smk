rule train:
    """One row of the table: spec in, record out."""
    input:
        digest=STUDY.path("data/digest.json"),
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
        code=code_of("gamtune.training.trial"),  # its import closure: an edit retrains, a touch does not
        spec=lambda wildcards: STUDY.trials[wildcards.trial].to_json(),  # canonical: all that identifies a row
        store=STUDY.store,
    message:
        "train {wildcards.trial}"
    shell:
        "exec python -m gamtune train --spec {params.spec:q} --data {input.digest:q}"
        " --record {output:q} --store {params.store:q} --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


rule summarise:
    """The table joined with its records, failed rows with their reason."""
    input:
        table=STUDY.path("table.csv"),
        records=STUDY.records,
    output:
        STUDY.path("summary.csv"),
    log:
        STUDY.path("logs/summarise.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.analysis.summary"),
        study=subpath(output[0], parent=True),
    message:
        "summary of all trials"
    shell:
        "python -m gamtune summarise --study {params.study:q} > {log:q} 2>&1"
