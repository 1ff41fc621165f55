"""Syntax of formulas, their number of coefficients, and their error messages."""

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamtune.gam import FormulaError
from gamtune.gam import errors as errors_module
from gamtune.gam import formula as formula_module
from gamtune.gam import terms as terms_module
from gamtune.gam.formula import check_columns, check_distinct, parse_formula, parse_model, parse_response, parse_term
from gamtune.gam.terms import Response, Variable, quoted

LECTURE = (
    "s(l1, k=4) + s(l2, k=4) + s(input_dropout) + s(rho, k=4) + s(epsilon, k=4)"
    " + s(mean_hidden_dropout, k=4) + te(depth, sum_neurons, k=4)"
)


def test_the_lectures_formula_has_40_coefficients():
    assert parse_formula(LECTURE).n_coefficients() == 40


def test_terms_have_the_labels_of_mgcv_in_the_order_of_the_formula():
    formula = parse_formula("s(l1, k=4) + te(depth, sum_neurons) + f(activation) + epochs")
    assert [term.label for term in formula.terms] == ["s(l1)", "te(depth,sum_neurons)", "f(activation)", "epochs"]
    assert formula.columns == ("l1", "depth", "sum_neurons", "activation", "epochs")


def test_k_is_10_in_s_and_5_per_margin_in_te_by_default():
    smooth, tensor = parse_formula("s(a) + te(b, c)").terms
    assert smooth.margins == ((Variable("a"), 10),)
    assert tensor.margins == ((Variable("b"), 5), (Variable("c"), 5))


def test_te_accepts_one_k_per_margin():
    (tensor,) = parse_formula("te(a, b, c, k=(3, 4, 5))").terms
    assert tensor.margins == ((Variable("a"), 3), (Variable("b"), 4), (Variable("c"), 5))
    assert parse_formula("te(a, b, c, k=c(3, 4, 5))").terms[0].k == tensor.k  # the form that R prints


def test_a_logarithm_is_part_of_a_terms_label_as_in_mgcv():
    formula = parse_formula("s(log(x), k=4) + te(log10(a), b, k=3) + ti(log2(c), b, k=4) + log(d)")
    assert [term.label for term in formula.terms] == ["s(log(x))", "te(log10(a),b)", "ti(log2(c),b)", "log(d)"]
    assert formula.columns == ("x", "a", "b", "c", "d")
    assert formula.n_coefficients() == 1 + 3 + 8 + 9 + 1
    assert [parse_term(term.label).variables for term in formula.terms] == [term.variables for term in formula.terms]


def test_a_column_and_its_logarithm_may_be_in_two_terms():
    assert [term.label for term in parse_formula("s(x) + s(log(x)) + log10(x)").terms] == [
        "s(x)",
        "s(log(x))",
        "log10(x)",
    ]


def test_an_interaction_can_be_combined_with_its_main_effects():
    formula = parse_formula("s(a, k=4) + s(b, k=4) + ti(a, b, k=3)")
    assert formula.n_coefficients() == 1 + 3 + 3 + 4


@pytest.mark.parametrize(
    "name", ["my col", "lr (1e-3)", "a-b", "50%", "$x$", "a`b", "back\\slash", "#items", "1st", "log(x)", "+"]
)
def test_names_with_symbols_are_quoted_with_backquotes(name):
    for text in ("s({})", "s(log({}), k=4)", "te({}, z)", "f({})", "{}"):
        (term,) = parse_formula(text.format(quoted(name))).terms
        assert term.variables[0].column == name
        assert parse_term(term.label).variables == term.variables
    assert parse_response(f"log({quoted(name)})") == Response(name, log=True)


@pytest.mark.parametrize(
    "name", ["my.col", ".hidden", "lambda", "k", "s", "\N{MICRO SIGN}", "\u5b66\u4e60\u7387", "x" * 300]
)
def test_other_names_are_not_quoted(name):
    (term,) = parse_formula(f"s({name})").terms
    assert term.variables == (Variable(name),)


@given(st.lists(st.sampled_from([*"()+,=-*#`~[]{}'\"\\ \n", "s", "te", "ti", "f", "log", "log10", "k", "x", "my.col", "`a b`",
                                 "4", "3.5", "c", "\u0416", "k=4", "s(x)", "log(x)"]), max_size=14))  # fmt: skip
def test_every_text_is_parsed_or_reported_in_one_line(pieces):
    text = "".join(pieces)
    try:
        labels = [term.label for term in parse_formula(text).terms]
    except FormulaError as refused:
        labels, lines = [], str(refused).splitlines()
    else:
        lines = [text]
        assert [term.label for term in parse_formula(" + ".join(labels)).terms] == labels
    assert labels or len(lines) == 1


@given(st.text(min_size=1))
def test_every_name_can_be_written_in_a_formula(name):
    (term,) = parse_formula(f"s(log10({quoted(name)}), k=4)").terms
    assert term.variables == (Variable(name, "log10"),)


def test_a_comment_in_a_formula_is_refused():
    with pytest.raises(ValueError, match="'# effect of x': a formula cannot contain a comment"):
        parse_formula("s(x, k=5)  # effect of x\n+ s(z, k=5)")


def test_a_factor_has_one_coefficient_less_than_levels_and_a_line_has_one():
    formula = parse_formula("f(activation) + epochs")
    assert formula.n_coefficients({"activation": 3}) == 1 + 2 + 1
    with pytest.raises(ValueError, match=r"f\(activation\): the number of levels of activation is not known"):
        formula.n_coefficients()


def test_a_formula_may_run_over_several_lines():
    assert parse_formula("s(l1) +\n  s(l2)") == parse_formula("s(l1) + s(l2)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s(l1", "cannot read 's(l1'"),
        ("", "empty formula"),
        ("s(l1) * s(l2)", "s(l1) * s(l2): not a term"),
        ("s(l1) - s(l2)", "s(l1) - s(l2): not a term"),
        ("q(l1)", "q(l1): unknown function 'q'"),
        ("__import__('os').system('true')", "not a term"),
        ("s(l1, bs='cr')", "s(l1, bs='cr'): unknown keyword 'bs'; the only one is k"),
        ("s(l1, **options)", "unknown keyword '**'"),
        ("s(l1, k=2)", "s(l1, k=2): k must be a whole number, 3 or more, got 2"),
        ("s(l1, k=4.0)", "k must be a whole number, 3 or more, got 4.0"),
        ("s(l1, k=True)", "k must be a whole number, 3 or more, got True"),
        ("s(l1, k=size)", "s(l1, k=size): k must be a whole number, 3 or more"),
        ("s(l1, l2)", "s(l1, l2): takes one column, got 2; te() takes several"),
        ("s()", "s(): takes one column, got 0"),
        ("s(2)", "s(2): the arguments before k are names of columns"),
        ("te(l1)", "te(l1): te() takes two columns or more; s() takes one"),
        ("te(l1, l2, k=(3, 4, 5))", "te(l1, l2, k=(3, 4, 5)): 2 columns, but k has 3 values"),
        ("s(l1, k=4, k=5)", "s(l1, k=4, k=5): k is given twice"),
        ("te(l1, log(l1))", "te(l1, log(l1)): l1 occurs twice"),
        ("ti(l1, l2) + ti(l2, l1)", "ti(l2, l1): l2 is already in ti(l1, l2)"),
        ("ti(l1, l2) + s(l1) + te(l1, rho)", "te(l1, rho): l1 is already in s(l1)"),
        ("f(log(l1))", "f(log(l1)): f() requires a column"),
        (
            "s(sqrt(l1))",
            "s(sqrt(l1)): the arguments before k are names of columns, or log(), log10() or log2() of them",
        ),
        ("s(log(l1, 2))", "s(log(l1, 2)): the arguments before k are names of columns"),
        ("log(l1, 2)", "log(l1, 2): a logarithm requires one column"),
        (
            "s(my col)",
            "s(my col): the arguments before k are names of columns, or log(), log10() or log2() of them; a name"
            " with spaces or symbols is written in backquotes, such as `my column`",
        ),
        ("s(l1) + ", "cannot read 's(l1) +'"),
        ("s(l1) ++ s(l2)", "cannot read 's(l1) ++ s(l2)'"),
        ("s(`l1)", "cannot read 's(`l1)'"),
        ("f(activation, k=3)", "f(activation, k=3): f() has no keyword arguments"),
        ("s(l1) + te(l1, l2)", "te(l1, l2): l1 is already in s(l1), and a column cannot be in two terms"),
    ],
)
def test_an_invalid_formula_is_reported_in_one_line(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        parse_formula(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_reported_with_the_available_columns():
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        check_columns(parse_formula("s(lr, k=4)"), ["l2", "depth", "l1"])
    assert str(caught.value) == "s(lr, k=4): no column 'lr' in the table; it has depth, l1, l2"


@pytest.mark.parametrize(
    ("text", "distinct", "message"),
    [
        ("s(depth, k=6)", {"depth": 5}, "s(depth, k=6): depth has 5 distinct values, k can be 5 at most"),
        ("te(a, b)", {"a": 9, "b": 4}, "te(a, b): b has 4 distinct values, k can be 4 at most"),
        ("s(wide, k=3)", {"wide": 2}, "s(wide, k=3): wide has 2 distinct values, a smooth needs 3;"),
        ("s(l1)", {"l1": 1}, "s(l1): l1 is constant"),
        ("l1", {"l1": 1}, "l1: l1 is constant"),
        ("f(kind)", {"kind": 1}, "f(kind): kind is constant"),
    ],
)
def test_a_term_with_more_functions_than_distinct_values_is_refused(text, distinct, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        check_distinct(parse_formula(text), distinct)
    assert str(caught.value).startswith(message)


def test_as_many_functions_as_distinct_values_are_allowed():
    check_distinct(parse_formula("s(depth, k=5)"), {"depth": 5})


def test_a_response_is_a_column_or_its_logarithm():
    assert parse_response("validation_mse") == Response("validation_mse", log=False)
    assert parse_response("log( validation_mse )") == Response("validation_mse", log=True)
    assert str(parse_response("log( mse )")) == "log(mse)"


@pytest.mark.parametrize("text", ["exp(mse)", "log(mse, 2)", "log(mse + 1)", "1", "log("])
def test_any_other_response_is_refused(text):
    with pytest.raises(ValueError, match=r"write a column's name or log\(column\)"):
        parse_response(text)


def test_a_model_is_a_response_and_terms():
    response, formula = parse_model("log(`a ~ b`) ~ s(x, k=4) + f(kind)")
    assert response == Response("a ~ b", log=True)
    assert formula == parse_formula("s(x, k=4) + f(kind)")


@pytest.mark.parametrize("text", ["s(x)", "y ~ ", "~ s(x)", "y ~ x ~ z", "y"])
def test_a_model_without_response_or_terms_is_refused(text):
    with pytest.raises(FormulaError, match=r"cannot read .*: write a response, ~ and terms, such as log\(y\) ~ s\(x"):
        parse_model(text)


def test_the_response_of_a_model_is_a_column_or_its_logarithm():
    with pytest.raises(FormulaError, match=r"response 'log2\(y\)': write a column's name or log\(column\)"):
        parse_model("log2(y) ~ x")


def test_formulas_require_only_the_standard_library():
    own = {module.__name__ for module in (formula_module, terms_module, errors_module)}
    for module in (formula_module, terms_module, errors_module):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = {
            node.module if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert {name.split(".")[0] for name in imported - own} <= sys.stdlib_module_names
