rule table:
    """The rows to train, for people and for the analysis; trainings take theirs from the config itself."""
    output:
        STUDY.path("table.csv"),
    log:
        STUDY.path("logs/table.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.search.table"),
        rows=STUDY.table_digest,
        config=STUDY.step_config("study", "data", "search", "space", "training"),
    message:
        "table of all rows"
    shell:
        "python -m gamtune table {params.config:q} --out {output:q} > {log:q} 2>&1"
