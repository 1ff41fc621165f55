"""Attacks on gamtune: killed processes, mutated configs, mutated tables and damaged files.

``make attack`` runs all of them; ``python -m attack --help`` lists the options. Every case follows from its name and the
seed, so that one command repeats it.
"""
