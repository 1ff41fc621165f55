rule candidates:
    """Propose candidates for the optimum with the selection rules; a rule may propose none."""
    input:
        summary="results/{study}/summary.csv",
    output:
        candidates="results/{study}/selection/candidates.csv",
        support="results/{study}/selection/support.csv",
        slots="results/{study}/confirm/slots.csv",
    log:
        "results/{study}/logs/candidates.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.selection.candidates"),
        rows=PLAN.table_fingerprint,
        config=PLAN.proposing_candidates,
    message:
        "propose candidates"
    shell:
        "python -m gamtune candidates {params.config:q} --summary {input.summary:q} --out {output.candidates:q} > {log:q} 2>&1"


rule select:
    """Select the optimum among the confirmed candidates, which are compared on common weight seeds."""
    input:
        candidates="results/{study}/selection/candidates.csv",
        records=expand(
            "results/{study}/confirm/{slot}/record.json", slot=PLAN.stage_slots("confirm"), allow_missing=True
        ),
        dataset="results/{study}/data/dataset.json",
    output:
        "results/{study}/selection/selection.json",
        "results/{study}/final/slots.csv",
    log:
        "results/{study}/logs/select.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.selection.select"),
        config=PLAN.step_config("study", "data", "search", "space", "training", "selection"),
        study=subpath(output[0], ancestor=2),
    message:
        "select the optimum"
    shell:
        "python -m gamtune select {params.config:q} --study {params.study:q} > {log:q} 2>&1"


rule evaluate:
    """Score the finalists on the test set once, and export the optimum."""
    input:
        selection="results/{study}/selection/selection.json",
        records=expand("results/{study}/final/{slot}/record.json", slot=PLAN.stage_slots("final"), allow_missing=True),
        datasets=[PLAN.final_data_info(replicate) for replicate in PLAN.finals],
    output:
        "results/{study}/optimum/record.json",
        "results/{study}/optimum/model.keras",
        comparison=report(
            "results/{study}/optimum/comparison.csv",
            caption="../report/comparison.rst",
            category="Selection",
        ),
        tests="results/{study}/optimum/tests.csv",
        predictions="results/{study}/optimum/predictions.csv",  # and the confusion matrix of a classification
        preprocessing="results/{study}/optimum/preprocessing.json",
        weights=directory("results/{study}/optimum/weights"),
    log:
        "results/{study}/logs/evaluate.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.selection.evaluate"),
        study=subpath(output.comparison, ancestor=2),
        finalists=PLAN.finalists,
        replicates=len(PLAN.finals),
        refit=PLAN.refit,
        stages=PLAN.stages,
    message:
        "score the finalists on the test set"
    shell:
        "python -m gamtune evaluate --study {params.study:q} --finalists {params.finalists:q}"
        " --replicates {params.replicates} {params.refit:q}"
        " --stages {params.stages:q} > {log:q} 2>&1"
