"""From moment conditions to estimates.

`model` is the flow, `problem` what the estimators see of a model, `estimators` the steps,
`gauss_newton` the search within a step. S has its estimators in `moment_covariance` and `hac`, its
inverse in `weights`; `covariance` is that of the estimates, `answer` all that is left at the end.
"""
