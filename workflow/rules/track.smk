rule sync:
    """Every record as a run in MLflow; nothing else waits for it."""
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
        config=STUDY.sections("study", "data", "search", "space", "tracking"),
    message:
        "records into MLflow"
    shell:
        "python -m gamtune sync {params.config:q} --out {output:q} > {log:q} 2>&1"


rule register:
    """The optimum as the study's champion in MLflow's registry."""
    input:
        synced=STUDY.path("tracking/synced.json"),
        comparison=STUDY.path("optimum/comparison.csv"),
    output:
        STUDY.path("tracking/champion.json"),
    log:
        STUDY.path("logs/register.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.tracking.registry"),
        config=STUDY.sections("study", "data", "search", "space", "tracking"),
    message:
        "champion in the model registry"
    shell:
        "python -m gamtune register {params.config:q} --out {output:q} > {log:q} 2>&1"
