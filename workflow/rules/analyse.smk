rule gam:
    """Fit a generalised additive model (GAM) to the validation error, or write the reason why this is not possible."""
    input:
        summary="results/{study}/summary.csv",
    output:
        directory("results/{study}/gam"),
    log:
        "results/{study}/logs/gam.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.analysis.gam_step"),
        formula=PLAN.config.analysis.gam or NO_FORMULA,
        response=PLAN.response,
        method=PLAN.config.analysis.method,
        columns=PLAN.figure_columns,
    message:
        "fit the GAM"
    shell:
        "python -m gamtune gam {input.summary:q} --formula {params.formula:q}"
        " --response {params.response:q} --method {params.method:q}"
        " --columns {params.columns:q} --skip-unfittable --out {output:q} > {log:q} 2>&1"


rule figures:
    """Draw the figures of the search: error per hyperparameter, effects of the GAM, and progress of the search."""
    input:
        summary="results/{study}/summary.csv",
        gam="results/{study}/gam",
    output:
        report(
            directory("results/{study}/figures"),
            patterns=["{figure}.png"],
            caption="../report/figure.rst",
            category="Analysis",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{study}/logs/figures.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.figures.search_figures", *FIGURES.implementations()),
        columns=PLAN.figure_columns,
        study=subpath(output[0], parent=True),
        stages=PLAN.stages,
    message:
        "draw the figures of the search"
    shell:
        "python -m gamtune figures --study {params.study:q} --stages {params.stages:q}"
        " --columns {params.columns:q} --out {output:q} > {log:q} 2>&1"


rule optimum_figures:
    """Draw the figures of the optimum on the test set."""
    input:
        predictions="results/{study}/optimum/predictions.csv",
        dataset="results/{study}/data/dataset.json",
    output:
        report(
            directory("results/{study}/optimum/figures"),
            patterns=["{figure}.png"],
            caption="../report/figure.rst",
            category="Optimum",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{study}/logs/optimum_figures.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.figures.optimum_figures", *OPTIMUM_FIGURES.implementations()),
        study=subpath(output[0], ancestor=2),
    message:
        "draw the figures of the optimum"
    shell:
        "python -m gamtune optimum-figures --study {params.study:q} --out {output:q} > {log:q} 2>&1"
