"""One study under one seed: what a worker needs to compute any of its blocks."""

import math
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import smartsolve
from gmm.estimation.status import Status
from gmm.inference.estimates import Estimates
from gmm.montecarlo import samples
from gmm.montecarlo.blocks import Block, Records, generator, record_type
from gmm.montecarlo.design import Study
from gmm.montecarlo.identity import describe, fingerprint

__all__ = ["BlockError"]

# Samples are drawn and estimated together up to this size: measured with 64 kB to 4 MB at n = 50
# and 500, larger chunks gain nothing more.
CHUNK_BYTES = 2**20
# Of J, and of the t statistics of the parameters: None if they are normal.
Degrees = tuple[int, float | None]

# So many replications that raise, one after the other from a block's first, are no accident.
_BUG = 20


class BlockError(RuntimeError):
    """The sampler or the model raised an exception that no single replication explains.

    The message names the block, the replications and the place; what was finished before is
    kept by the checkpoint.
    """


@dataclass(frozen=True, eq=False)
class Experiment:
    """A study, the seed of its streams, and what a trial run has found out.

    `chunk` samples are drawn and estimated together. It belongs to the identity: a sampler that
    draws regressors first and errors then would draw other numbers for other chunks.
    """

    study: Study
    seed: int
    chunk: int
    df: int
    df_t: float | None
    fingerprint: str
    bytes_a_sample: int

    @classmethod
    def of(cls, study: Study, seed: int) -> "Experiment":
        """Try the study with two samples; what its functions raise, they raise here first."""
        data, again = (study.draw(generator(seed, study.design, 0), 2) for _ in range(2))
        if fingerprint(samples.leaves(data)) != fingerprint(samples.leaves(again)):
            raise ValueError(
                "the sampler answers the same generator with different samples; "
                "all its random numbers must come from rng"
            )
        records = np.empty(2, record_type(len(study.truth)))
        errors, (df, df_t) = estimate(study, data, records)
        if len(errors) == len(records):
            raise next(iter(errors.values()))
        bytes_a_sample = max(1, samples.nbytes(data) // 2)
        return cls(
            study=study,
            seed=seed,
            chunk=study.chunk or min(max(1, CHUNK_BYTES // bytes_a_sample), study.block),
            df=df,
            df_t=df_t,
            fingerprint=fingerprint(
                [*samples.leaves(data), records["estimates"], records["bse"], records["status"]]
            ),
            bytes_a_sample=bytes_a_sample,
        )

    @property
    def record_type(self) -> np.dtype[np.void]:
        """The layout of one replication's result."""
        return record_type(len(self.study.truth))

    @property
    def block_size(self) -> int:
        """Replications in a block."""
        return self.study.block

    def identity(self) -> dict[str, Any]:
        """Everything that decides the results, as JSON values."""
        study = self.study
        return {
            "model": describe(study.model),
            "sampler": describe(study.sampler),
            "fit": describe(study.fit),
            "jac": describe(study.jac),
            "vectorized": study.vectorized,
            "bounds": describe(study.bounds),
            "parameters": list(study.truth),
            "truth": describe(study.truth),
            "n": study.n,
            "df": self.df,
            "df_t": self.df_t,
            "seed": self.seed,
            "design": study.design,
            "block": study.block,
            "chunk": self.chunk,
            "fingerprint": self.fingerprint,
            "numpy": np.__version__,
            "smartsolve": smartsolve.__version__,
        }

    def block(self, index: int) -> Block:
        """The results of one whole block."""
        size = self.study.block
        records = np.empty(size, self.record_type)
        raised: dict[int, Exception] = {}
        rng = generator(self.seed, self.study.design, index)
        try:
            for first in range(0, size, self.chunk):
                rows = slice(first, min(first + self.chunk, size))
                data = self.study.draw(rng, rows.stop - first)
                errors, _ = estimate(self.study, data, records[rows])
                raised.update({first + row: error for row, error in errors.items()})
                if len(raised) == rows.stop >= min(_BUG, size):
                    raise raised[first]
        except MemoryError:
            raise
        except Exception as error:
            raise BlockError(self._message(index, error)) from error
        return Block(records, {row: _brief(error) for row, error in raised.items()})

    def sample(self, replication: int) -> tuple[Any, np.void]:
        """One replication's sample, and its record with the bits that a run gives it."""
        size = self.study.block
        index, row = divmod(replication, size)
        rng = generator(self.seed, self.study.design, index)
        for first in range(0, size, self.chunk):
            count = min(self.chunk, size - first)
            data = self.study.draw(rng, count)
            if row < first + count:
                break
        records = np.empty(count, self.record_type)
        estimate(self.study, data, records)
        return samples.take(data, row - first), records[row - first]

    def _message(self, index: int, error: Exception) -> str:
        first = index * self.study.block
        return (
            f"block {index} (replications {first} to {first + self.study.block - 1}, "
            f"seed {self.seed}): {where(error)}"
        )


def estimate(study: Study, data: Any, records: Records) -> tuple[dict[int, Exception], Degrees]:
    """Estimate samples together; answer with exceptions by row, and degrees of freedom.

    If the stack raises, its samples are estimated one by one, and only those that raise again
    have failed: an estimator that gives up on one sample in a million must not stop the rest.
    """
    try:
        return {}, _record(study, data, records)
    except MemoryError:
        raise
    except Exception as error:
        together = error
    errors: dict[int, Exception] = {}
    degrees: Degrees = (0, None)
    if len(records) > 1:
        for row in range(len(records)):
            rows = slice(row, row + 1)
            raised, found = estimate(study, samples.take(data, rows), records[rows])
            if raised:
                errors[row] = raised[0]
            else:
                degrees = found
    if len(errors) == len(records) or len(records) == 1:
        # What the whole stack raised says more than what its first sample did.
        errors[0] = together
        records["status"], records["iterations"] = Status.EXCEPTION, 0
        _erase(records, np.ones(len(records), bool))
    return errors, degrees


def _record(study: Study, data: Any, records: Records) -> Degrees:
    """Fit the stack and write its results into the records; answer with degrees of freedom."""
    # What overflows or divides by zero ends as a status; the flags would only say it twice.
    with np.errstate(all="ignore"):
        result = study.build(data).fit(**study.fit)
    names = getattr(result, "parameters", None)
    if names is not None and tuple(names) != (*study.truth,) and {*names} == {*study.truth}:
        raise ValueError(
            f"truth names the parameters in the order {', '.join(study.truth)}; the fit has them "
            f"in the order {', '.join(names)}"
        )
    shape = (len(records), len(study.truth))
    for name, field in (("params", "estimates"), ("bse", "bse")):
        values = np.asarray(getattr(result, name), dtype=np.float64)
        if values.shape != shape:
            raise ValueError(
                f"the fit's {name} have shape {values.shape}; {shape[0]} samples and the "
                f"{shape[1]} parameters of truth ({', '.join(study.truth)}) make it {shape}"
            )
        records[field] = values
    records["iterations"] = getattr(result, "iterations", 0)
    test = getattr(result, "j_test", None)
    records["j"] = math.nan if test is None else test.statistic
    status = getattr(result, "status", None)
    if status is None:
        finite = np.isfinite(records["estimates"]).all(axis=1)
        status = np.where(finite, int(Status.OK), int(Status.NON_FINITE))
    records["status"] = status
    if isinstance(result, Estimates):
        # A variance that is negative, of two-way clusters, has no interval that could cover.
        lacking = np.isnan(records["bse"]).any(axis=1) & (records["status"] == int(Status.OK))
        records["status"][lacking] = Status.NOT_POSITIVE_DEFINITE
    _erase(records, records["status"] != int(Status.OK))
    # A statistic that is not chi-squared, or not there, comes with a reason.
    return 0 if test is None or test.reason else int(test.df), getattr(result, "df", None)


def _erase(records: Records, rows: npt.NDArray[np.bool_]) -> None:
    """What failed has no estimates, whatever the model left there."""
    if rows.any():
        for field in ("estimates", "bse", "j"):
            records[field][rows] = np.nan


def _brief(error: Exception) -> str:
    """Type and message on one line of bounded length."""
    text = " ".join(str(error).split())
    text = text if len(text) <= 300 else text[:297] + "..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def where(error: Exception) -> str:
    """What was raised, and in which line of the user's code that was, if it was there."""
    frames = traceback.extract_tb(error.__traceback__)
    library = Path(__file__).parents[2]  # where packages are installed
    theirs = [frame for frame in frames if library not in Path(frame.filename).parents]
    frame = (theirs or list(frames))[-1]
    return f"{_brief(error)}, in {Path(frame.filename).name}, line {frame.lineno}, {frame.name}"
