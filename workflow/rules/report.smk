rule report:
    """Write the report of the study as one HTML page that needs no other files."""
    input:
        summary="results/{study}/summary.csv",
        dataset="results/{study}/data/dataset.json",
        warnings="results/{study}/data/warnings.json",
        columns="results/{study}/data/columns.csv",
        gam="results/{study}/gam",
        figures="results/{study}/figures",
        optimum_figures="results/{study}/optimum/figures",
        candidates="results/{study}/selection/candidates.csv",
        support="results/{study}/selection/support.csv",
        selection="results/{study}/selection/selection.json",
        comparison="results/{study}/optimum/comparison.csv",
        tests="results/{study}/optimum/tests.csv",
    output:
        "results/{study}/report.html",
    log:
        "results/{study}/logs/report.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.report.report", *PLAN.search_implementations),
        template=template_of("report/page.html.j2"),
        config=PLAN.step_config(*REPORTED),
        study=subpath(output[0], parent=True),
    message:
        "write the report"
    shell:
        "python -m gamtune report {params.config:q} --study {params.study:q} > {log:q} 2>&1"
