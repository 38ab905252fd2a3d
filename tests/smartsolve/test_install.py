"""An optional part is asked for by the name that the distribution was installed under."""

import importlib.metadata

from smartsolve._install import install


def test_the_installed_name_is_asked_for(monkeypatch):
    assert install("plot") == 'pip install "smartsolve[plot]"'
    renamed = {"smartsolve": ["another-name"], "gmm": ["another-name"]}
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: renamed)
    assert install("plot") == 'pip install "another-name[plot]"'


def test_sources_alone_have_the_usual_name(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "packages_distributions", dict)
    assert install("matlab") == 'pip install "smartsolve[matlab]"'
