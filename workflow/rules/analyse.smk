rule gam:
    """The error as a sum of smooth effects, or the reason why there is no model."""
    input:
        summary=STUDY.path("summary.csv"),
    output:
        directory(STUDY.path("gam")),
    log:
        STUDY.path("logs/gam.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.analysis.gam_step"),
        formula=STUDY.config.analysis.gam or NO_FORMULA,
        response=STUDY.response,
        method=STUDY.config.analysis.method,
    message:
        "additive model of the error"
    shell:
        "python -m gamtune gam {input.summary:q} --formula {params.formula:q}"
        " --response {params.response:q} --method {params.method:q} --out {output:q} > {log:q} 2>&1"


rule figures:
    """The error against every parameter, and the model's effects."""
    input:
        summary=STUDY.path("summary.csv"),
        gam=STUDY.path("gam"),
    output:
        report(
            directory(STUDY.path("figures")),
            patterns=["{figure}.png"],
            caption="../report/figure.rst",
            category="Analysis",
            labels={"figure": "{figure}"},
        ),
    log:
        STUDY.path("logs/figures.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.analysis.figures"),
        columns=STUDY.figure_columns,
    message:
        "figures"
    shell:
        "python -m gamtune figures --summary {input.summary:q} --gam {input.gam:q}"
        " --columns {params.columns:q} --out {output:q} > {log:q} 2>&1"
