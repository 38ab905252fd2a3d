"""One study under one seed: what a worker needs to compute any of its blocks."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import smartsolve
from gmm.estimation.status import Status
from gmm.montecarlo import samples
from gmm.montecarlo.blocks import RECORDED, Block, Records, generator, record_type
from gmm.montecarlo.columns import Column
from gmm.montecarlo.design import Study
from gmm.montecarlo.identity import describe, fingerprint
from gmm.montecarlo.recorded import (
    Degrees,
    column_of,
    degrees,
    erase,
    named,
    parameter_names,
    stream,
    write,
    write_estimates,
)

__all__ = ["BlockError"]

# Samples are drawn and estimated together up to this size: measured with 64 kB to 4 MB at n = 50
# and 500, larger chunks gain nothing more.
CHUNK_BYTES = 2**20

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
    columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, study: Study, seed: int) -> "Experiment":
        """Try the study with two samples; what its functions raise, they raise here first."""
        data, again = (study.draw(generator(seed, study.design, 0), 2) for _ in range(2))
        if fingerprint(samples.leaves(data)) != fingerprint(samples.leaves(again)):
            raise ValueError(
                "the sampler answers the same generator with different samples; "
                "all its random numbers must come from rng"
            )
        columns = columns_of(study, data, seed)
        records = np.empty(2, record_type(len(study.truth), columns))
        raised, (df, df_t) = estimate(study, data, records, columns, Place(seed))
        if len([one for one in raised.values() if not one.by]) == len(records):
            raise raised[0].error
        bytes_a_sample = max(1, samples.nbytes(data) // 2)
        return cls(
            study=study,
            seed=seed,
            chunk=study.chunk or min(max(1, CHUNK_BYTES // bytes_a_sample), study.block),
            df=df,
            df_t=df_t,
            fingerprint=fingerprint([*samples.leaves(data), *_numbers(records)]),
            bytes_a_sample=bytes_a_sample,
            columns=columns,
        )

    @property
    def record_type(self) -> np.dtype[np.void]:
        """The layout of one replication's result."""
        return record_type(len(self.study.truth), self.columns)

    @property
    def block_size(self) -> int:
        """Replications in a block."""
        return self.study.block

    def identity(self) -> dict[str, Any]:
        """Everything that decides the results, as JSON values."""
        study = self.study
        # Of studies that record nothing besides, as it was before there were others.
        besides = {
            "record": describe(study.functions),
            "columns": [column.to_dict() for column in self.columns],
        }
        return {
            **(besides if self.columns else {}),
            **({"label": study.label} if study.others else {}),
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
        raised: dict[int, Raised] = {}
        rng = generator(self.seed, self.study.design, index)
        try:
            for first in range(0, size, self.chunk):
                rows = slice(first, min(first + self.chunk, size))
                data = self.study.draw(rng, rows.stop - first)
                errors, _ = estimate(
                    self.study, data, records[rows], self.columns, Place(self.seed, index, first)
                )
                raised.update({first + row: error for row, error in errors.items()})
                if len(raised) == rows.stop >= min(_BUG, size):
                    raise raised[first].error
        except MemoryError:
            raise
        except Exception as error:
            raise BlockError(self._message(index, error)) from error
        return Block(records, {row: brief(one.error, one.by) for row, one in raised.items()})

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
        estimate(self.study, data, records, self.columns, Place(self.seed, index, first))
        return samples.take(data, row - first), records[row - first]

    def _message(self, index: int, error: Exception) -> str:
        first = index * self.study.block
        return (
            f"block {index} (replications {first} to {first + self.study.block - 1}, "
            f"seed {self.seed}): {where(error)}"
        )


@dataclass(frozen=True)
class Raised:
    """What a model or a statistic has raised for one sample."""

    error: Exception
    by: str = ""
    """The statistic or estimator, if it is not the study's first."""


@dataclass(frozen=True)
class Place:
    """Where samples begin in their experiment."""

    seed: int
    block: int = 0
    row: int = 0


def estimate(
    study: Study, data: Any, records: Records, columns: Sequence[Column], place: Place
) -> tuple[dict[int, Raised], Degrees]:
    """Estimate samples together; answer with what was raised, by row, and degrees of freedom.

    Where the stack raises, its samples are taken one by one, and only those that raise again
    have failed: an estimator that gives up on one sample in a million must not stop the rest.
    """
    fits = _Fits(study)
    found: Degrees = (0, None)
    names = tuple(study.truth)

    def own(part: Any, rows: slice) -> None:
        nonlocal found
        result = fits.of(part, rows)
        write_estimates(result, records[rows], study.together, names)
        found = degrees(result)

    failed = _each(own, data, range(len(records)), study.together)
    for row in failed:
        records["status"][row], records["iterations"][row] = Status.EXCEPTION, 0
    erase(records, records["status"] == int(Status.EXCEPTION))
    raised = {row: Raised(error) for row, error in failed.items()}
    if not columns:
        return raised, found

    fields = records[RECORDED]
    for column in columns:
        column.erase(fields[column.name])
    kept = {column.name: column for column in columns}

    def others(name: str, part: Any, rows: slice) -> None:
        answer = study.fitted(part, name)
        write(kept[name], answer, fields[name][rows], study.together, names)

    def statistic(name: str, part: Any, rows: slice) -> None:
        rng = stream(place.seed, study.design, place.block, place.row + rows.start, name)
        answer = study.recorded(name, fits.of(part, rows), part, rng)
        for key, value in named(name, answer):
            if key not in kept:
                raise ValueError(f"{name} answers with {key!r}, which its first answer has not")
            write(kept[key], value, fields[key][rows], study.together, names)

    good = [row for row in range(len(records)) if row not in failed]
    for name in study.others:
        errors = _each(partial(others, name), data, range(len(records)), study.together)
        for row, error in errors.items():
            fields[name]["status"][row] = Status.EXCEPTION
            raised.setdefault(row, Raised(error, name))
    for name in study.functions:
        errors = _each(partial(statistic, name), data, good, study.together, not failed)
        for row, error in errors.items():
            raised.setdefault(row, Raised(error, name))
    for column in columns:
        if column.kind in ("number", "rate"):  # of estimates that are none
            column.erase_rows(fields[column.name], records["status"] != int(Status.OK))
    return raised, found


def _numbers(records: Records) -> Iterator[npt.NDArray[Any]]:
    """What the samples on trial gave, for a fingerprint."""
    yield from (records[name] for name in ("estimates", "bse", "status"))
    if RECORDED not in (records.dtype.names or ()):
        return
    fields = records[RECORDED]
    for name in fields.dtype.names or ():
        values = fields[name]
        inner = values.dtype.names
        yield from (values[part] for part in inner) if inner else (values,)


class _Fits:
    """The study's own fits of samples, kept for the statistics that look at them."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.kept: dict[tuple[int, int], Any] = {}

    def of(self, data: Any, rows: slice) -> Any:
        """The fit of these rows, whose data these are."""
        place = rows.start, rows.stop
        result = self.kept.get(place)
        if result is None:
            result = self.study.fitted(data)
            if self.study.functions:
                self.kept[place] = result
        return result


def _each(
    work: Callable[[Any, slice], None],
    data: Any,
    rows: Sequence[int],
    stacked: bool,
    at_once: bool = True,
) -> dict[int, Exception]:
    """Work on stacked samples at once, or, where that raises, on each; what was raised, by row."""
    first = None
    if stacked and at_once and len(rows):
        try:
            work(data, slice(0, len(rows)))
            return {}
        except MemoryError:
            raise
        except Exception as error:
            first = error
    errors: dict[int, Exception] = {}
    for row in rows:
        one = slice(row, row + 1)
        try:
            work(samples.take(data, one if stacked else row), one)
        except MemoryError:
            raise
        except Exception as error:
            errors[row] = error
    if first is not None and len(errors) == len(rows):
        # What the whole stack raised says more than what its first sample did.
        errors[rows[0]] = first
    return errors


def columns_of(study: Study, data: Any, seed: int) -> tuple[Column, ...]:
    """How the study's other statistics are kept, by what they answer for two samples on trial."""
    if not (study.functions or study.others):
        return ()
    found: list[Column] = []

    def try_it(part: Any, rows: slice) -> None:
        if found:
            return
        count = rows.stop - rows.start if study.together else None
        result = study.fitted(part)
        names = parameter_names(result) or ()
        truth = {name: name for name in study.truth}
        if len(names) == len(truth):
            truth = {**dict(zip(names, truth, strict=True)), **truth}
        answers = [(name, study.fitted(part, name)) for name in study.others]
        for name in study.functions:
            rng = stream(seed, study.design, 0, rows.start, name)
            answers += named(name, study.recorded(name, result, part, rng))
        found.extend([column_of(name, answer, count, truth) for name, answer in answers])

    errors = _each(try_it, data, range(2), study.together)
    if not found:
        raise next(iter(errors.values()))
    names = [column.name for column in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{twice[0]!r} is recorded twice; give another name")
    if taken := {*names} & {*study.truth, study.label, "J"}:
        raise ValueError(f"{taken.pop()!r} is the name of what every study keeps; give another")
    return tuple(found)


def brief(error: Exception, by: str = "") -> str:
    """Type and message on one line of bounded length."""
    text = " ".join(str(error).split())
    text = text if len(text) <= 300 else text[:297] + "..."
    head = f"{by}: {type(error).__name__}" if by else type(error).__name__
    return f"{head}: {text}" if text else head


def where(error: Exception) -> str:
    """What was raised, and in which line of the user's code that was, if it was there."""
    frames = traceback.extract_tb(error.__traceback__)
    library = Path(__file__).parents[2]  # where packages are installed
    theirs = [frame for frame in frames if library not in Path(frame.filename).parents]
    frame = (theirs or list(frames))[-1]
    return f"{brief(error)}, in {Path(frame.filename).name}, line {frame.lineno}, {frame.name}"
