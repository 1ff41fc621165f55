rule data:
    """The source as arrays on disk, split and standardised."""
    input:
        file=STUDY.data_file(),
    output:
        digest=STUDY.path("data/digest.json"),
        preprocessing=STUDY.path("data/preprocessing.json"),
        split=STUDY.path("data/split.csv"),
        arrays=expand(
            STUDY.path("data/{axis}_{part}.npy"),
            axis=["x", "y"],
            part=["train", "validation", "test"],
        ),
    log:
        STUDY.path("logs/data.txt"),
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.data.prepare"),
        data=STUDY.sections("data"),
        folder=subpath(output.digest, parent=True),
    message:
        "data: split and standardised"
    shell:
        "python -m gamtune data --data {params.data:q} --out {params.folder:q} > {log:q} 2>&1"
