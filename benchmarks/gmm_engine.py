"""What the Monte Carlo engine takes beyond drawing its random numbers.

The draws alone, `gmm.GMMGaussianMC` with two and with four moments, and with two workers, in turn;
every round draws the same numbers. Targets: 1.2 times the draws with one worker, close to half of
that with two; the over-identified, two-step workload within twice its draws.
"""

from __future__ import annotations

import os

from timing import Call, Effort, arguments, compare, machine, print_machine, write_json

import gmm
from gmm.montecarlo.gaussian import draw_alone

DRAWS = "the draws alone"
PEERS = {
    DRAWS: "draw_alone(replications, n=n, seed=2010)",
    "two moments": "run(replications, n=n)",
    "two moments, 2 workers": "run(replications, n=n, workers=2)",
    "four moments, two-step": "run(replications, n=n, moments=4)",
    "four moments, 2 workers": "run(replications, n=n, moments=4, workers=2)",
}
# Ratios to the draws, which run on one core.
TARGETS = {
    "two moments": 1.2,
    "two moments, 2 workers": 0.75,
    "four moments, two-step": 2.0,
    "four moments, 2 workers": 1.2,
}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--replications", type=int, default=100_000)
    parser.add_argument("--n", type=int, default=500)
    options = parser.parse_args()
    replications = 5_000 if options.quick else options.replications
    facts = machine(options)
    print_machine(facts, markdown=True)

    names = {
        "draw_alone": draw_alone,
        "run": gmm.GMMGaussianMC,
        "replications": replications,
        "n": options.n,
    }
    calls = {peer: Call(statement, names) for peer, statement in PEERS.items()}
    effort = Effort(turn=0.001, case=0.0, fewest=3 if options.quick else 7)
    timings = compare(calls, effort)

    print(f"| {replications:,} samples of {options.n} | seconds | times as long as the draws "
          "| at most | held |\n|---|---:|---:|---:|---|")  # fmt: skip
    for peer in PEERS:
        time = timings.time(peer).median
        if peer == DRAWS:
            print(f"| {peer} | {time:.3f} | | | |")
            continue
        ratio, target = timings.ratio(peer, DRAWS), TARGETS[peer]
        spread = f"{ratio.median:.2f} ({ratio.low:.2f}-{ratio.high:.2f})"
        held = "yes" if ratio.median <= target else "no"
        print(f"| {peer} | {time:.3f} | {spread} | {target:g} | {held} |")
    if (os.cpu_count() or 1) < 2:
        print("\none core: two workers can gain nothing")
    write_json(options.json, facts, replications=replications, timings=timings.as_dict())


if __name__ == "__main__":
    main()
