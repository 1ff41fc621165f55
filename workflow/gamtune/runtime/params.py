"""A shorter start of Snakemake: the comparison of parameters without pandas."""


def compare_params_without_pandas() -> None:
    """Let Snakemake compare the parameters of jobs without importing pandas, which takes 0.2 s.

    Snakemake imports it to recognise tables among the parameters; the parameters of this workflow are texts, numbers
    and lists. Other versions of Snakemake, which lack the replaced attributes, are not changed.
    """
    from snakemake import persistence

    for kind in vars(persistence).values():
        if isinstance(kind, type) and {"_serialize_param", "_serialize_param_builtin"} <= vars(kind).keys():
            kind._serialize_param = property(lambda self: self._serialize_param_builtin)  # type: ignore[attr-defined]
