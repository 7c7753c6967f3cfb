"""The archive: everything that Spacekeep does apart from its web site."""

__version__ = "0.1.0"  # as in pyproject.toml
