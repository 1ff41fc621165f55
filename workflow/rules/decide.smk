rule candidates:
    """What the decision rules propose, one slot each; a slot may stay empty."""
    input:
        summary=STUDY.path("summary.csv"),
    output:
        candidates=STUDY.path("decision/candidates.csv"),
        support=STUDY.path("decision/support.csv"),
    log:
        STUDY.path("logs/candidates.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.selection.candidates"),
        rows=STUDY.table_digest,
        config=STUDY.proposing_candidates,
    message:
        "candidates of the decision"
    shell:
        "python -m gamtune candidates {params.config:q} --summary {input.summary:q} --out {output.candidates:q} > {log:q} 2>&1"


rule confirm:
    """A candidate on a fresh weight seed; found in the store unless the slot holds something new."""
    input:
        candidates=STUDY.path("decision/candidates.csv"),
        digest=lambda wildcards: STUDY.digest(STUDY.fold_of(int(wildcards.replicate))),
    output:
        STUDY.path("confirm/{candidate}/{replicate}/record.json"),
    log:
        STUDY.path("confirm/{candidate}/{replicate}/log.txt"),
    retries: 1
    conda:
        "../../envs/gamtune.yaml"
    threads: STUDY.threads
    resources:
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=1500,
    params:
        code=training_code(),
        seed=STUDY.config.training.seed,
        fold=lambda wildcards: STUDY.fold_of(int(wildcards.replicate)) or 0,
        store=STUDY.store,
        leave=STUDY.models,
    message:
        "confirm {wildcards.candidate}, replicate {wildcards.replicate}"
    shell:
        "python -m gamtune train --candidates {input.candidates:q}"
        " --candidate {wildcards.candidate:q} --replicate {wildcards.replicate} --seed {params.seed}"
        " --fold {params.fold}"
        " --data {input.digest:q} --record {output:q} --store {params.store:q} --leave {params.leave:q}"
        " --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


rule decide:
    """The candidate that does best over the common seeds."""
    input:
        candidates=STUDY.path("decision/candidates.csv"),
        records=expand(
            STUDY.path("confirm/{candidate}/{replicate}/record.json"),
            candidate=STUDY.candidates,
            replicate=STUDY.replicates,
        ),
        digest=STUDY.path("data/digest.json"),
    output:
        STUDY.path("decision/decision.json"),
    log:
        STUDY.path("logs/decide.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.selection.decide"),
        study=subpath(output[0], ancestor=2),
        replicates=len(STUDY.replicates),
        choose=STUDY.config.decision.choose,
    message:
        "decision among the confirmed candidates"
    shell:
        "python -m gamtune decide --study {params.study:q} --replicates {params.replicates}"
        " --choose {params.choose:q} > {log:q} 2>&1"


rule final:
    """The winner, or one that it is compared with, on a weight seed that no choice has seen."""
    input:
        decision=STUDY.path("decision/decision.json"),
        candidates=STUDY.path("decision/candidates.csv"),
        digest=lambda wildcards: STUDY.final_digest(int(wildcards.replicate)),
    output:
        STUDY.path("final/{contender}/{replicate}/record.json"),  # and its model beside it, unless the training failed
    log:
        STUDY.path("final/{contender}/{replicate}/log.txt"),
    retries: 1
    conda:
        "../../envs/gamtune.yaml"
    threads: STUDY.threads
    resources:
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=1500,
    params:
        code=training_code(),
        seed=STUDY.config.training.seed,
        fold=lambda wildcards: STUDY.final_fold(int(wildcards.replicate)) or 0,
        whole=STUDY.whole,
        store=STUDY.store,
    message:
        "train {wildcards.contender}, final replicate {wildcards.replicate}"
    shell:
        "python -m gamtune train --decision {input.decision:q} --contender {wildcards.contender:q}"
        " --replicate {wildcards.replicate}"
        " --seed {params.seed} --fold {params.fold} {params.whole:q}"
        " --data {input.digest:q} --record {output:q} --store {params.store:q} --leave model.keras"
        " --attempt {resources.attempt} --attempts 2 > {log:q} 2>&1"


rule evaluate:
    """The optimum's one look at the test rows, beside its references, and what is exported with it."""
    input:
        decision=STUDY.path("decision/decision.json"),
        records=expand(
            STUDY.path("final/{contender}/{replicate}/record.json"),
            contender=STUDY.contenders,
            replicate=STUDY.finals,
        ),
        digests=[STUDY.final_digest(replicate) for replicate in STUDY.finals],
    output:
        STUDY.path("optimum/record.json"),
        STUDY.path("optimum/model.keras"),
        comparison=report(
            STUDY.path("optimum/comparison.csv"),
            caption="../report/comparison.rst",
            category="Decision",
        ),
        tests=STUDY.path("optimum/tests.csv"),
        predictions=STUDY.path("optimum/predictions.csv"),  # and the confusion matrix, where there are classes
        preprocessing=STUDY.path("optimum/preprocessing.json"),
        weights=directory(STUDY.path("optimum/weights")),
    log:
        STUDY.path("logs/evaluate.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.selection.evaluate"),
        study=subpath(output.comparison, ancestor=2),
        contenders=STUDY.contenders,
        replicates=len(STUDY.finals),
        whole=STUDY.whole,
        stages=STUDY.stages,
    message:
        "optimum on the test set"
    shell:
        "python -m gamtune evaluate --study {params.study:q} --contenders {params.contenders:q}"
        " --replicates {params.replicates} {params.whole:q}"
        " --stages {params.stages:q} > {log:q} 2>&1"
