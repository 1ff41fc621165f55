# The directive `include:` would drop the default target of the included file
workflow.include("workflow/Snakefile", overwrite_default_target=True)
