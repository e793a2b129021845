"""Whether what clients saw of one key can have happened one after the other (Wing and Gong's search, with memory).

An operation is (start, end, kind, given, seen). Kinds: `read` (seen: the value, None if there is none), `write` (given: the
value, None for a deletion), `swap` (given: the value that must be there, None for no value, and the new one; seen: whether it
went through). One whose answer never came has no end: it happened at some time after its start, or not at all.
"""

FOREVER = float("inf")


def after(kind, given, seen, value):
    """The key's value after the operation; raises if the operation can't have seen what it saw."""
    match kind:
        case "read" if seen == value:
            return value
        case "write":
            return given
        case "swap" if seen and given[0] == value:
            return given[1]
        case "swap" if not seen and given[0] != value:
            return value
    raise ValueError


def is_linearizable(history, value=None):
    history = [it for it in history if it[1] != FOREVER or it[2] != "read"]
    must = sum(1 << n for n, it in enumerate(history) if it[1] != FOREVER)
    seen, stack = set(), [((1 << len(history)) - 1, value)]
    while stack:
        left, value = state = stack.pop()
        if not left & must:
            return True
        if state in seen:
            continue
        seen.add(state)
        waiting = [n for n in range(len(history)) if left >> n & 1]
        # Nothing can come before what had ended when it began.
        first = min(history[n][1] for n in waiting)
        for n in waiting:
            start, end, kind, given, saw = history[n]
            if start > first:
                continue
            if end == FOREVER and kind == "swap":
                # Without an answer, it went through or it did not; if not, leaving it out says so.
                saw = True
            try:
                stack.append((left & ~(1 << n), after(kind, given, saw, value)))
            except ValueError:
                pass
    return False
