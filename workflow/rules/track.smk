rule sync:
    """Write every record to MLflow as a run, and register the optimum; no other rule depends on this one."""
    input:
        table="results/{study}/table.csv",
        summary="results/{study}/summary.csv",
        report="results/{study}/report.html",
    output:
        "results/{study}/tracking/synced.json",
    log:
        "results/{study}/logs/sync.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.tracking.sync"),
        config=PLAN.step_config("study", "data", "selection.on", "search", "space", "tracking"),
    message:
        "update MLflow"
    shell:
        "python -m gamtune sync {params.config:q} --out {output:q} > {log:q} 2>&1"
