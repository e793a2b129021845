"""How long from exec until the server listens, what it holds at rest, how large it is; the peer is Moto's server."""

import statistics
import subprocess
import time
from functools import partial
from pathlib import Path

from common import BINARY, Moto, Server, machine, memory_mb, milliseconds, prose, scratch, table, timed, write

ROUNDS = 20
PEER_ROUNDS = 5
IDLE_SECONDS = 2


def starts(make, rounds):
    """Seconds from exec to the line with the address, and the memory at rest after the last start."""
    seconds, memory = [], 0.0
    for number in range(rounds):
        server, elapsed = timed(partial(make, number))
        seconds.append(elapsed)
        if number == rounds - 1:
            time.sleep(IDLE_SECONDS)
            memory = memory_mb(server.process)
        server.stop()
    return seconds, memory


def spawn():
    """What any process costs: the floor of these figures."""
    return [timed(lambda: subprocess.run(["/bin/true"], check=True))[1] for _ in range(ROUNDS)]


def main():
    with scratch() as directory:
        empty, empty_mb = starts(lambda number: Server(directory / str(number)), ROUNDS)
        existing, existing_mb = starts(lambda _: Server(directory / "0"), ROUNDS)
    peer, peer_mb = starts(lambda _: Moto(), PEER_ROUNDS)
    floor = spawn()

    def row(name, seconds, memory):
        ratio = statistics.median(seconds) / statistics.median(peer)
        spread = f"{min(seconds) * 1000:.1f} – {max(seconds) * 1000:.1f}"
        return [name, f"{ratio:.4f}", milliseconds(seconds), spread, f"{memory:.0f} MB" if memory else ""]

    rows = [
        row("Boathouse, empty new data directory", empty, empty_mb),
        row("Boathouse, existing data directory", existing, existing_mb),
        row("Moto server", peer, peer_mb),
        row("`/bin/true`, to its end", floor, 0),
    ]
    write(
        "startup",
        "Startup",
        machine("moto"),
        prose(
            f"Time from exec to the line that says where the server listens: median of {ROUNDS} (Moto: {PEER_ROUNDS}). "
            f"Memory is the resident set {IDLE_SECONDS} seconds later, before any call. An empty directory needs its "
            "stores made and synced to disk first."
        ),
        table(["", "ratio to Moto", "median", "min – max, ms", "memory at rest"], rows),
        prose(f"The binary is {Path(BINARY).stat().st_size / 1e6:.1f} MB, and needs nothing beside it."),
    )


main()
