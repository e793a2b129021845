"""Where the time of a query goes, on either side, by the kinds of operators: from EXPLAIN ANALYZE of both."""

import re

from common import prose, table

# Each kind of work, with what either side calls its operators.
KINDS = {
    "scan": (r"\w*Scan\w*|Values|Unnest", r"\w*SCAN|READ_PARQUET|UNNEST"),
    "join": (r"\w*Join\w*|NestedLoop\w*|CrossProduct", r"\w*JOIN|CROSS_PRODUCT"),
    "aggregation": (r"Aggregate\w*|Distinct\w*|MarkDistinct", r"\w*GROUP_BY|\w*AGGREGATE|\w*DISTINCT"),
    "window": (r"Window\w*|RowNumber\w*|TopNRanking", r"\w*WINDOW"),
    "sort": (r"Sort\w*|TopN|TopNPartial|\w*Merge\w*|Limit\w*", r"ORDER_BY|TOP_N|\w*LIMIT"),
    "rest": (r"\w+", r"\w+"),
}
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}
NOT_OPERATORS = {"Fragment", "Output"}


def kind(name, side):
    return next(kind for kind, names in KINDS.items() if re.fullmatch(names[side], name))


def sums(timings, side):
    """Seconds by kind of pairs of an operator's name and its seconds."""
    totals = dict.fromkeys(KINDS, 0.0)
    for name, seconds in timings:
        totals[kind(name, side)] += seconds
    return totals


def analysed(text):
    """The operators of EXPLAIN ANALYZE's answer with their processor time."""
    name = None
    for line in text.splitlines():
        line = line.strip(" │└├─")
        if head := re.match(r"([A-Z]\w+)\[", line):
            name = head.group(1)
        elif name and name not in NOT_OPERATORS and (cpu := re.match(r"CPU: ([\d.]+)(\w+) \(", line)):
            yield name, float(cpu.group(1)) * SECONDS[cpu.group(2)]
            name = None


def operators(node):
    """The operators of DuckDB's plan with theirs."""
    for child in node.get("children", node.get("operator", [])):
        yield child["type"], child["timing"]
        yield from operators(child)


class Profile:
    """One query's kinds of work in seconds, ours and DuckDB's, beside what is not an operator's."""

    def __init__(self, athena, duck, comparison):
        query = comparison.query
        execution, _ = athena.run(f"EXPLAIN ANALYZE {query.text}")
        self.name = comparison.name
        self.ours = sums(analysed(athena.text(execution)), 0)
        self.ducks = sums(operators(duck.analysed(query.duck_text)), 1)
        self.planning, self.calls = comparison.planning, comparison.wall - comparison.engine

    def row(self):
        both = [f"{self.ours[kind] * 1000:.0f} / {self.ducks[kind] * 1000:.0f}" for kind in KINDS]
        return [self.name, *both, f"{self.planning * 1000:.0f}", f"{self.calls * 1000:.0f}", self.cause()]

    def cause(self):
        """What adds most to the difference, on two cores."""
        more = {kind: (self.ours[kind] - self.ducks[kind]) / 2 for kind in KINDS}
        more |= {"planning": self.planning, "calls": self.calls}
        named = sorted(more, key=more.get, reverse=True)[:2]
        return ", ".join(f"{kind} +{more[kind] * 1000:.0f}" for kind in named if more[kind] >= 0.001)


def section(profiles):
    """What a benchmark's document says of the queries above 1.0."""
    if not profiles:
        return []
    return [
        "## Where the time goes of those above 1.0",
        "",
        *prose(
            "Processor time of the operators in ms, Boathouse's / DuckDB's by EXPLAIN ANALYZE, by kind; a scan has the "
            "filters that it evaluates. Planning is QueryPlanningTimeInMillis, one thread's; calls are StartQueryExecution, "
            "GetQueryExecution and the result's way into S3. Cause is what adds most to the wall time on two cores, in ms: half of "
            "an operator's difference, all of planning and calls. The reasons stand in reasons.md."
        ),
        *table(["", *KINDS, "planning", "calls", "cause"], [profile.row() for profile in profiles]),
    ]
