"""What the demo claims, each claim with what was seen: only what was seen decides."""

import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


@dataclass(slots=True)
class Evidence:
    """Shows scenes and claims as they come, and remembers which claims did not hold."""

    console: Console
    held: int = 0
    failed: list[str] = field(default_factory=list[str])
    began: float = field(default_factory=time.perf_counter)
    closed: bool = False

    @property
    def seconds(self) -> float:
        """How long the demo has been running."""
        return time.perf_counter() - self.began

    def scene(self, title: str) -> None:
        """Begin a part of the story."""
        self.console.print()
        self.console.rule(Text(title, "bold") + Text(f"  {self.seconds:.1f} s", "dim"), align="left")

    def tell(self, text: str, style: str = "") -> None:
        """A line of the story."""
        self.console.print(Padding(Text(text, style), (0, 0, 0, 2)))

    def show(self, table: Table) -> None:
        """Figures."""
        self.console.print(Padding(table, (0, 0, 0, 2)))

    def claim(self, claim: str, *, holds: bool, seen: str) -> None:
        """State something, and what was seen of it."""
        if holds:
            self.held += 1
        else:
            self.failed.append(f"{claim} ({seen})")
        mark = Text("✔ ", "bold green") if holds else Text("✘ ", "bold red")
        self.console.print(Padding(mark + Text(claim), (0, 0, 0, 2)))
        self.console.print(Padding(Text(seen, "dim"), (0, 0, 0, 4)))

    def close(self) -> int:
        """The last word, and the exit code: 0 only if every claim held."""
        self.closed = True
        self.console.print()
        for claim in self.failed:
            self.console.print(Text(f"Did not hold: {claim}", "bold red"))
        if not self.failed:
            self.console.print(Text(f"All {self.held} claims held, in {self.seconds:.1f} s.", "bold green"))
        return 1 if self.failed else 0
