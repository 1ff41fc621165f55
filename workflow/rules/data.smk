rule fetch:
    """The files of a public data set, checked, in the user's cache; with progress, and where the network is."""
    output:
        STUDY.path("data/source.json"),
    log:
        STUDY.path("logs/fetch.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        data=STUDY.step_config("data"),
    message:
        "files of the data set"
    shell:
        "python -m gamtune fetch --data {params.data:q} --out {output:q} > {log:q}"  # progress and faults: to the terminal


rule data:
    """The source as arrays on disk, split and standardised."""
    input:
        file=STUDY.data_files,
    output:
        STUDY.data_outputs,
        digest=STUDY.path("data/digest.json"),
    log:
        STUDY.path("logs/data.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.data.prepare"),
        data=STUDY.step_config("data"),
        content=STUDY.data_content,  # of files whose paths Snakemake takes for patterns
        folder=subpath(output.digest, parent=True),
    message:
        "data: split and standardised"
    shell:
        "python -m gamtune data --data {params.data:q} --out {params.folder:q} 2>&1 | tee {log:q}"  # warnings: to the terminal


rule whole_data:
    """All rows but the test's as one training set, for the final trainings of a study that wants it."""
    input:
        file=STUDY.data_files,
    output:
        expand(STUDY.path("data/whole/{name}"), name=SET_FILES),
    log:
        STUDY.path("logs/whole_data.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.data.prepare"),
        data=STUDY.step_config("data"),
        content=STUDY.data_content,  # of files whose paths Snakemake takes for patterns
        folder=subpath(output[0], parent=True),
    message:
        "data: training and validation rows together"
    shell:
        "python -m gamtune data --whole --data {params.data:q} --out {params.folder:q} > {log:q} 2>&1"
