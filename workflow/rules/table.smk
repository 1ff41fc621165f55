rule table:
    """Write the parameter table for users and the analysis; trials read their settings from the config."""
    output:
        "results/{study}/table.csv",
    log:
        "results/{study}/logs/table.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.search.table"),
        rows=PLAN.table_fingerprint,
        config=PLAN.step_config("study", "data", "selection.on", "search", "space", "training"),
    message:
        "write the parameter table"
    shell:
        "python -m gamtune table {params.config:q} --out {output:q} > {log:q} 2>&1"
