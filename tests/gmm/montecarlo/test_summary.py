"""montecarlo/summary.py on numbers that can be checked by hand."""

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import gmm
from gmm import Status
from gmm.models.theory import Reference
from gmm.montecarlo import summary as summary_module
from gmm.montecarlo.blocks import record_type
from gmm.montecarlo.measures import rate
from gmm.montecarlo.summary import Summary, summarize


def summary_of(
    error: list[float],
    bse: list[float],
    status: list[int] | None = None,
    j: list[float] | None = None,
    df: int = 0,
    **options: Any,
) -> Summary:
    records = np.zeros(len(error), record_type(1))
    records["estimates"][:, 0], records["bse"][:, 0] = 1 + np.array(error), bse
    records["j"], records["status"] = j or 0.0, status or 0
    return summarize(
        parameters=["mu"],
        truth=[1.0],
        records=records,
        df=df,
        theory={"mu": {"bias": Reference(0.0, exact=True)}},
        **options,
    )


def test_statistics_and_their_standard_errors() -> None:
    mu = summary_of([-1.0, 0.0, 1.0, 2.0], [1.0] * 4)["mu"]
    assert mu["bias"].value == 0.5
    assert mu["bias"].mcse == pytest.approx(math.sqrt(5 / 3) / 2)
    assert mu["sd"].value == pytest.approx(math.sqrt(5 / 3))
    assert mu["sd"].mcse == pytest.approx(math.sqrt(4 / 3 / 4) / (2 * math.sqrt(5 / 3)))
    assert mu["rmse"].value == pytest.approx(math.sqrt(1.5))
    # Squared errors 1, 0, 1, 4: sum of squares about 1.5 is 9, over 4 * 3.
    assert mu["rmse"].mcse == pytest.approx(math.sqrt(9 / 12) / (2 * math.sqrt(1.5)))
    # |2| < 1.96 is the one that fails.
    assert mu["coverage"].value == 0.75
    assert mu["coverage"].mcse == pytest.approx(math.sqrt(0.75 * 0.25 / 4))
    assert (mu["size"].value, mu["size"].mcse) == (0.25, mu["coverage"].mcse)


def test_mean_standard_error_and_power() -> None:
    """Estimates 0, 1, 2, 3 of a true 1, with standard errors 1, 1, 1, 2."""
    mu = summary_of([-1.0, 0.0, 1.0, 2.0], [1.0, 1.0, 1.0, 2.0], null={"mu": 4.0})["mu"]
    assert mu["mean_se"].value == 1.25
    assert mu["mean_se"].mcse == pytest.approx(0.5 / 2)
    # |0 - 4|, |1 - 4| and |2 - 4| are 1.96 standard errors or more, |3 - 4| is not.
    assert mu["power"].value == 0.75
    assert mu["power"].mcse == pytest.approx(math.sqrt(0.75 * 0.25 / 4))
    strict = summary_of([-1.0, 0.0, 1.0, 2.0], [1.0] * 4, level=0.99)
    assert strict["mu"]["coverage"].value == 1.0  # the critical value is 2.576
    for options, words in (
        ({"null": {"nu": 1.0}}, "null names"),
        ({"level": 5}, "level is 5"),
        ({"level": 0.05}, "nominal coverage"),
    ):
        with pytest.raises(ValueError, match=words):
            summary_of([0.0], [1.0], **options)


def test_parts_are_merged_as_if_they_had_been_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    error, bse = (1e3 + rng.standard_normal(1_001)).tolist(), rng.uniform(1, 2, 1_001).tolist()
    status = rng.choice([0, 0, 2], 1_001).tolist()
    whole = summary_of(error, bse, status)
    monkeypatch.setattr(summary_module, "_ROWS", 97)
    parts = summary_of(error, bse, status)
    assert parts.statuses == whole.statuses
    for statistic, measure in whole["mu"].items():
        assert parts["mu"][statistic].value == pytest.approx(measure.value, rel=1e-12)
        assert parts["mu"][statistic].mcse == pytest.approx(measure.mcse, rel=1e-9)


def test_rates_over_all_and_over_the_converged() -> None:
    nan = math.nan
    result = summary_of(
        [0.0, 5.0, nan, nan],
        [1.0, 1.0, nan, nan],
        status=[Status.OK, Status.OK, Status.SINGULAR, Status.NON_FINITE],
        j=[1.0, 10.0, nan, nan],
        df=1,
    )
    assert result.converged == 2
    assert result.statuses["SINGULAR"] == 1
    assert result["mu"]["coverage"].value == 0.5
    assert result["mu"]["coverage_of_all"].value == 0.25
    assert result["J"]["size"].value == 0.5
    assert result["J"]["size_of_all"].value == 0.25
    text = str(result)
    assert "converged: 2 of 4" in text
    assert "1 failed: a linear system is singular" in text
    assert "coverage of all" in text


def test_monte_carlo_errors_describe_repeated_experiments() -> None:
    """The spread of a statistic over 300 experiments is what its MCSE says."""
    rng = np.random.default_rng(11)
    repeats = [summary_of(rng.standard_normal(200).tolist(), [1.0] * 200)["mu"] for _ in range(300)]
    for statistic in ("bias", "sd", "rmse", "coverage"):
        values = np.array([row[statistic].value for row in repeats])
        claimed = np.mean([row[statistic].mcse for row in repeats])
        # The standard deviation of 300 values is itself known to 1 / sqrt(600), about 4 %.
        assert values.std() == pytest.approx(claimed, rel=4 * 0.041)


@pytest.mark.parametrize("status", [[0], [2], [2, 2]])
def test_too_few_replications_give_nothing_rather_than_a_warning(status: list[int]) -> None:
    result = summary_of([0.5] * len(status), [1.0] * len(status), status, df=1)
    assert math.isnan(result["mu"]["sd"].value)
    assert "null" in json.dumps(result.to_dict(), allow_nan=False)
    str(result)


def test_a_result_is_json() -> None:
    result = gmm.GMMGaussianMC(500, n=50, moments=4)
    document = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert document["replications"] == 500
    assert document["statuses"] == {"OK": 500}
    assert document["measures"]["mu"]["sd"]["theory"] == pytest.approx(50**-0.5)
    assert document["measures"]["J"]["mean"]["theory"] == 2


def test_the_table_shows_theory_beside_the_estimate() -> None:
    text = str(gmm.GMMGaussianMC(2_000, n=500).summary())
    assert "MC std. error" in text
    assert "in the limit" in text
    assert "converged: 2,000 of 2,000" in text
    assert "of all" not in text


def test_a_summary_is_html_and_latex() -> None:
    result = gmm.GMMGaussianMC(500, n=50, moments=3)
    summary = result.summary()
    page, table = summary._repr_html_(), summary.to_latex()
    assert (result._repr_html_(), str(result)) == (page, str(summary))
    bias = summary["sigma"]["bias"]
    cell = f"{bias.value:z.{bias.digits}f}"
    assert f">{cell}</td>" in page
    assert f"${cell}$" in table if cell.startswith("-") else cell in table
    assert r"J: size at 5 \%" in table
    assert "converged: 500 of 500" in page
    assert "converged: 500 of 500" in table


def test_a_rounded_zero_has_no_sign() -> None:
    text = str(summary_of([-1.0, 1.0 - 1e-9], [1.0, 1.0]))
    assert "-0.0" not in text


def test_the_rate_of_convergence_has_an_error_too() -> None:
    result = summary_of([0.0, 0.0, 0.0, np.nan], [1.0] * 4, status=[0, 0, 0, 1])
    assert result.convergence.value == 0.75
    assert result.convergence.mcse == pytest.approx(math.sqrt(0.75 * 0.25 / 4))


@pytest.mark.parametrize("total", [1, 2, 50, 5000])
def test_a_rate_of_none_or_all_is_not_certain(total: int) -> None:
    """Its standard error was zero, as if no more replications could tell."""
    none, every = rate(0, total), rate(total, total)
    assert (none.value, every.value) == (0.0, 1.0)
    assert none.mcse == pytest.approx(every.mcse)
    assert none.mcse > 0
    # The rate of which nothing is seen in so many replications once in forty studies.
    high = 1 - 0.025 ** (1 / total)
    assert none.interval == pytest.approx((0.0, high))
    assert every.interval == pytest.approx((1 - high, 1.0))
    assert none.bound.startswith("at most")
    assert every.bound.startswith("at least")
    assert high <= float(none.bound.split()[2]) < high + 0.1 * max(high, 0.1) + 1e-9
    assert float(every.bound.split()[2]) <= 1 - high


def test_intervals_of_rates_are_exact() -> None:
    """Clopper and Pearson's: each end leaves 2.5 % of the binomial beyond the count."""
    for count, total in (1, 10), (7, 10), (120, 2000):
        found = rate(count, total)
        low, high = found.interval
        assert low < found.value < high
        assert stats.binom.sf(count - 1, total, low) == pytest.approx(0.025)
        assert stats.binom.cdf(count, total, high) == pytest.approx(0.025)
        assert not found.bound
        assert found.mcse == pytest.approx(math.sqrt(found.value * (1 - found.value) / total))
        assert found.to_dict()["interval"] == [low, high]


def test_a_table_says_what_a_rate_of_zero_is() -> None:
    result = gmm.GMMGaussianMC(300, n=400, progress=False)
    text = str(result.summary(level=0.999999))
    line = next(line for line in text.splitlines() if "coverage" in line)
    assert "1.0000" in line
    assert line.endswith("at least 0.987 (95 %)")
