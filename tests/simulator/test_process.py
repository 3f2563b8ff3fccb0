"""The simulator as a process: on this machine only, one for a store, and its books outlive it."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.simulated import CARD, Simulated, simulating

PAY: Any = {**CARD, "amount": 2000, "payment_method": "pm_card_visa"}


def bursar_simulator(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "bursar", "simulator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_books_and_keys_outlive_a_kill(tmp_path: Path) -> None:
    with simulating(tmp_path) as first:
        intent = first.sdk.v1.payment_intents.create(PAY, {"idempotency_key": "order-7"})
        first.control("POST", "faults", mode="webhook_late")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    with simulating(tmp_path) as second:
        again = second.sdk.v1.payment_intents.create(PAY, {"idempotency_key": "order-7"})
        assert again.id == intent.id
        assert second.books()["sums"]["usd"]["net"] == 1912
        assert [rule["mode"] for rule in second.control("GET", "faults")["data"]] == ["webhook_late"]


def test_a_store_has_one_simulator(tmp_path: Path) -> None:
    with simulating(tmp_path):
        second = bursar_simulator("--port", "0", "--data", str(tmp_path))
    assert second.returncode == 1
    assert second.stderr == f"bursar: Another simulator works on {tmp_path}.\n"


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = bursar_simulator("--port", str(port), "--data", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"bursar: Cannot listen on 127.0.0.1:{port}: ")


def test_it_listens_on_this_machine_only_and_stops_when_it_is_told(tmp_path: Path) -> None:
    with simulating(tmp_path) as simulator:
        assert simulator.url.startswith("http://127.0.0.1:")
        assert listens_on(simulator) == {"0100007F"}
        simulator.process.terminate()
        assert simulator.process.wait(30) == 0


def listens_on(simulator: Simulated) -> set[str]:
    """The addresses on which the port is open, as the kernel writes them."""
    port = f"{int(simulator.url.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {line[1].partition(":")[0] for line in lines if line[1].endswith(f":{port}") and line[3] == "0A"}


def test_the_clock_goes_unless_it_is_held(tmp_path: Path) -> None:
    with simulating(tmp_path) as simulator:
        simulator.control("POST", "clock", advance=86_400)
        before = simulator.control("GET", "clock")
        while simulator.control("GET", "clock")["now"] <= before["now"]:
            pass
        held = simulator.control("POST", "clock", hold=True)
        assert held["held"] is True
        assert simulator.control("GET", "clock")["now"] == held["now"]
