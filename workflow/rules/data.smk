rule fetch:
    """The files of a public data set, checked, in the user's cache; with progress, and where the network is."""
    output:
        STUDY.path("data/source.json"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        data=STUDY.sections("data"),
    message:
        "files of the data set"
    shell:
        "python -m gamtune fetch --data {params.data:q} --out {output:q}"


rule data:
    """The source as arrays on disk, split and standardised."""
    input:
        file=STUDY.data_files,
    output:
        STUDY.data_outputs,
    log:
        STUDY.path("logs/data.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.data.prepare"),
        data=STUDY.sections("data"),
        folder=STUDY.path("data"),
    message:
        "data: split and standardised"
    shell:
        "python -m gamtune data --data {params.data:q} --out {params.folder:q} > {log:q} 2>&1"
