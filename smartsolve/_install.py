"""How an optional part is installed: by the distribution's own name, which no message holds."""

__all__ = ["install"]


def install(extra: str) -> str:
    """The command, for an error message: it looks through all that is installed.

    >>> install("plot")
    'pip install "smartsolve[plot]"'
    """
    from importlib.metadata import packages_distributions

    package = __package__.partition(".")[0]
    (name, *_) = packages_distributions().get(package, [package])
    return f'pip install "{name}[{extra}]"'
