"""The archive: what Spacekeep does, without the site."""

__version__ = "0.1.0"  # as in pyproject.toml
