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
        columns=STUDY.figure_columns,
    message:
        "additive model of the error"
    shell:
        "python -m gamtune gam {input.summary:q} --formula {params.formula:q}"
        " --response {params.response:q} --method {params.method:q}"
        " --columns {params.columns:q} --skip-unfittable --out {output:q} > {log:q} 2>&1"


rule figures:
    """The error against every parameter, the model's effects, and how the search went."""
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
        code=code_of("gamtune.figures.search_figures", *FIGURES.implementations()),
        columns=STUDY.figure_columns,
        study=subpath(output[0], parent=True),
        stages=STUDY.stages,
    message:
        "figures"
    shell:
        "python -m gamtune figures --study {params.study:q} --stages {params.stages:q}"
        " --columns {params.columns:q} --out {output:q} > {log:q} 2>&1"


rule optimum_figures:
    """The optimum on the test rows."""
    input:
        predictions=STUDY.path("optimum/predictions.csv"),
        digest=STUDY.path("data/digest.json"),
    output:
        report(
            directory(STUDY.path("optimum/figures")),
            patterns=["{figure}.png"],
            caption="../report/figure.rst",
            category="Optimum",
            labels={"figure": "{figure}"},
        ),
    log:
        STUDY.path("logs/optimum_figures.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.figures.optimum_figures", *OPTIMUM_FIGURES.implementations()),
        study=subpath(output[0], ancestor=2),
    message:
        "figures of the optimum"
    shell:
        "python -m gamtune optimum-figures --study {params.study:q} --out {output:q} > {log:q} 2>&1"
