"""Benchmarks with goals: `make bench`, or `python -m tests.bench audio` for one of them.

Each module measures one thing: its `figures()` yields Figures. Environment variables named BENCH_* set the counts, for
smaller runs. If a figure is a ratio, both sides are measured in the same run.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`goal` is text for people, like "<= 300"; `met` is whether `value` reaches it."""

    name: str
    value: float
    unit: str
    goal: str
    met: bool


def at_most(name: str, value: float, unit: str, most: float) -> Figure:
    return Figure(name, value, unit, f"<= {most:g}", value <= most)


def at_least(name: str, value: float, unit: str, least: float) -> Figure:
    return Figure(name, value, unit, f">= {least:g}", value >= least)


def without_goal(name: str, value: float, unit: str) -> Figure:
    """Return a figure without a goal, for comparison with others."""
    return Figure(name, value, unit, "none", True)
