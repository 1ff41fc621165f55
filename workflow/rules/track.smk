rule sync:
    """Every record as a run in MLflow, the optimum as its champion; nothing else waits for it."""
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
        config=PLAN.step_config("study", "data", "search", "space", "tracking"),
    message:
        "records into MLflow"
    shell:
        "python -m gamtune sync {params.config:q} --out {output:q} > {log:q} 2>&1"
