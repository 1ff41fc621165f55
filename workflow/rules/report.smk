rule report:
    """The study on one page that opens offline."""
    input:
        summary=STUDY.path("summary.csv"),
        digest=STUDY.path("data/digest.json"),
        warnings=STUDY.path("data/warnings.json"),
        columns=STUDY.path("data/columns.csv"),
        gam=STUDY.path("gam"),
        figures=STUDY.path("figures"),
        optimum_figures=STUDY.path("optimum/figures"),
        candidates=STUDY.path("decision/candidates.csv"),
        support=STUDY.path("decision/support.csv"),
        decision=STUDY.path("decision/decision.json"),
        comparison=STUDY.path("optimum/comparison.csv"),
        tests=STUDY.path("optimum/tests.csv"),
    output:
        STUDY.path("report.html"),
    log:
        STUDY.path("logs/report.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.report.report", *STUDY.search_implementations),
        template=template_of("report/page.html.j2"),
        config=STUDY.step_config("study", "data", "search", "space", "training", "analysis", "decision"),
        study=subpath(output[0], parent=True),
    message:
        "report"
    shell:
        "python -m gamtune report {params.config:q} --study {params.study:q} > {log:q} 2>&1"
