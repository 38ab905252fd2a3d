"""The findings of a recording, as people and programs read them."""

from dataclasses import asdict
from typing import Any

from .advice import advice
from .findings import Findings
from .html import fragment
from .text import as_text

__all__ = ["Profile"]


class Profile(Findings):
    """What a program solved, where, and what it would cost otherwise."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; times in seconds."""
        sites = []
        for site in self.sites:
            theirs, ours = self.times(site)
            entry = asdict(site)
            del entry["seconds"], entry["other_seconds"]
            entry |= {
                "seconds": theirs,
                "smartsolve_seconds": ours,
                "structures": site.structures,
                "advice": advice(site, self.with_ours),
            }
            sites.append(entry)
        return {
            "program": self.program,
            "ran_with": "smartsolve" if self.with_ours else "numpy",
            "seconds": self.seconds,
            "profiling_seconds": self.overhead,
            "sites": sites,
        }

    def __str__(self) -> str:
        return as_text(self)

    __repr__ = __str__  # what a terminal's IPython shows

    def _repr_html_(self) -> str:
        return fragment(self)
