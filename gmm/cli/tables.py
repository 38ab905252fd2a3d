"""The main job as a reader sees it."""

import numpy as np

from gmm.cli.main_job import REPORTED_2010, MainJob, Measured


def report(job: MainJob) -> str:
    """Times first, then what was estimated."""
    settings = job.settings
    workers = "1 worker" if settings.workers == 1 else f"{settings.workers} workers"
    parts = [
        "The 2010 experiment GMMGaussianMC: a reconstruction, as the original is lost\n"
        f"Samples of N(0, 1): {settings.replications:,} of n = {settings.n:,}, "
        f"seed {settings.seed}, engine with {workers}",
        times(job),
        *_statistics(job),
    ]
    return "\n\n".join(parts)


def times(job: MainJob) -> str:
    """Seconds, and microseconds per replication, in all and in solve."""
    lines = [
        f"{'':32}{'repli-':>11}{'':>10}{'us per':>10}{'in':>9}{'us per':>10}",
        f"{'':32}{'cations':>11}{'seconds':>10}{'repl.':>10}{'solve':>9}{'repl.':>10}",
    ]
    for measured in job.measured:
        lines.append(f"{measured.name}  {measured.variant.title}")
        for solver, loop in measured.loops.items():
            lines.append(
                _row(
                    f"   loop, {solver}",
                    job.settings.loop_replications,
                    loop.seconds,
                    loop.solve_seconds,
                )
            )
        lines.append(_row("   engine", job.settings.replications, measured.seconds))
        if measured.result.blocks_reused:
            lines.append(f"      with {measured.result.blocks_reused} blocks from the checkpoint")
    lines.append(_row("drawing the numbers alone", job.drawing_replications, job.drawing_seconds))
    reported = REPORTED_2010
    count = int(reported["replications"])
    lines.append("reported in 2010: under a profiler, unknown hardware")
    lines.append(_row("   loop", count, reported["seconds"], reported["solve_seconds"]))
    lines.append(_row("   loop without solve", count, reported["seconds_without_solve"]))
    lines += ["", *(_story(measured) for measured in job.measured if measured.loops)]
    return "\n".join(lines).rstrip()


def _row(label: str, replications: int, seconds: float, solve: float | None = None) -> str:
    each = 1e6 / replications
    line = f"{label:32}{replications:>11,}{seconds:10.3f}{seconds * each:10.2f}"
    if solve is None:
        return line
    return line + f"{100 * solve / seconds:7.1f} %{solve * each:10.2f}"


def _story(measured: Measured) -> str:
    numpy_loop, our_loop = measured.loops.values()
    before = 100 * numpy_loop.solve_seconds / numpy_loop.seconds
    after = 100 * our_loop.solve_seconds / our_loop.seconds
    ratio = ""
    if our_loop.solve_seconds > 0:  # a few calls may take less than the clock can tell
        ratio = f", {numpy_loop.solve_seconds / our_loop.solve_seconds:.3g} times less time"
    return (
        f"{measured.name}: solve is {before:.0f} % of the loop with NumPy and {after:.1f} % with "
        f"smartsolve{ratio};\n"
        f"   loop and engine differ by at most {measured.largest_difference():.0e}."
    )


def _statistics(job: MainJob) -> list[str]:
    """A table for every variant whose estimates have not been shown already."""
    parts: list[str] = []
    shown: Measured | None = None
    for measured in job.measured:
        title = f"{measured.name}  {measured.variant.title}"
        if shown is not None and measured.variant.moments == shown.variant.moments:
            difference = _largest_difference(measured, shown)
            parts.append(f"{title}: the estimates of {shown.name}, to {difference:.0e}")
            continue
        parts.append(f"{title}\n{measured.result.summary()}")
        shown = measured
    return parts


def _largest_difference(one: Measured, other: Measured) -> float:
    both = one.result.converged & other.result.converged
    a, b = one.result, other.result
    return float(
        max(
            np.abs(a.estimates[both] - b.estimates[both]).max(initial=0.0),
            np.abs(a.bse[both] - b.bse[both]).max(initial=0.0),
        )
    )
