"""Data sets and published results that ship in the statsmodels wheel; nothing is copied here."""

import importlib
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

YEARS = [67, 68, 69, 70, 71, 73]
EXOG = ["expr", "tenure", "rns", "smsa", *(f"D{year}" for year in YEARS), "const"]
ENDOG = ["s", "iq"]
INSTRUMENTS = ["med", "kww", "age", "mrt"]


@cache
def _folder() -> Path:
    import statsmodels

    return Path(statsmodels.__file__).parent / "sandbox" / "regression" / "tests"


def published(module: str, name: str) -> Any:
    """Results of Stata's gmm or of ivreg2, as statsmodels keeps them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = f"statsmodels.sandbox.regression.tests.results_{module}"
        return getattr(importlib.import_module(place), name)


@cache
def griliches() -> pd.DataFrame:
    """Griliches' wage data of 1976: 758 young men."""
    data = pd.read_stata(_folder() / "griliches76.dta")
    for year in YEARS:
        data[f"D{year}"] = (data["year"] == year).astype(float)
    data["const"] = 1.0
    return data


@cache
def doctor_visits() -> pd.DataFrame:
    """3629 persons of Cameron and Trivedi's data, selected as in Stata's manual of gmm."""
    data = pd.read_csv(_folder() / "racd10data_with_transformed.csv")
    both = (data["private"] == 1) & (data["medicaid"] == 1)
    return data[~both & (data["docvis"] <= 70)].assign(const=1.0)
