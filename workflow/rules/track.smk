rule sync:
    """Every record as a run in MLflow, the optimum as its champion; nothing else waits for it."""
    input:
        table=STUDY.path("table.csv"),
        summary=STUDY.path("summary.csv"),
        report=STUDY.path("report.html"),
    output:
        STUDY.path("tracking/synced.json"),
    log:
        STUDY.path("logs/sync.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.tracking.sync"),
        config=STUDY.step_config("study", "data", "search", "space", "tracking"),
    message:
        "records into MLflow"
    shell:
        "python -m gamtune sync {params.config:q} --out {output:q} > {log:q} 2>&1"
