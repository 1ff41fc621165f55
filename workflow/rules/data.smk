rule fetch:
    """Download the files of a public data set into the user's cache and check them."""
    output:
        "results/{study}/data/source.json",
    log:
        "results/{study}/logs/fetch.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        data=PLAN.step_config("data"),
    message:
        "download the data set"
    shell:
        "python -m gamtune fetch --data {params.data:q} --out {output:q} > {log:q}"  # stderr goes to the terminal


rule data:
    """Prepare the data: split the samples and write the preprocessed arrays."""
    input:
        file=PLAN.data_files,
    output:
        expand("results/{study}/data/{name}", name=PLAN.data_outputs, allow_missing=True),
        dataset="results/{study}/data/dataset.json",
    log:
        "results/{study}/logs/data.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.data.prepare"),
        data=PLAN.step_config("data", "selection.on"),
        content=PLAN.data_content,  # of files whose paths Snakemake takes for patterns
        folder=subpath(output.dataset, parent=True),
    message:
        "prepare the data"
    shell:
        "python -m gamtune data --data {params.data:q} --out {params.folder:q} 2>&1 | tee {log:q}"  # shows warnings


rule refit_data:
    """Prepare the training and validation samples as one training set, for final trials that use both."""
    input:
        file=PLAN.data_files,
    output:
        expand("results/{study}/data/refit/{name}", name=SET_FILES, allow_missing=True),
    log:
        "results/{study}/logs/refit_data.txt",
    conda:
        "../../envs/gamtune.yaml"
    params:
        code=code_of("gamtune.data.prepare"),
        data=PLAN.step_config("data", "selection.on"),
        content=PLAN.data_content,  # of files whose paths Snakemake takes for patterns
        folder=subpath(output[0], parent=True),
    message:
        "prepare the data of the refit"
    shell:
        "python -m gamtune data --refit --data {params.data:q} --out {params.folder:q} > {log:q} 2>&1"
