"""What a storm found: a table, and whether all of it held."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Report:
    """Rows of what was measured against what is promised."""

    seed: int
    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    console: Console = field(default_factory=Console)

    def row(self, what: str, measured: object, promised: object, holds: bool) -> None:
        self.rows.append((what, str(measured), str(promised), holds))

    def none_of(self, what: str, findings: list[str]) -> None:
        """A row for what must not be found, and the findings for below the table."""
        self.row(what, len(findings), 0, not findings)
        self.findings += [f"{what}: {finding}" for finding in findings]

    def tell(self, text: str) -> None:
        """Progress, at once."""
        self.console.print(text, highlight=False)

    @property
    def holds(self) -> bool:
        return all(row[3] for row in self.rows)

    def show(self) -> None:
        table = Table("what", "measured", "promised", "holds")
        for what, measured, promised, holds in self.rows:
            table.add_row(what, measured, promised, "yes" if holds else "[bold red]NO[/]")
        self.console.print(table)
        for finding in self.findings:
            self.console.print(finding, style="red", highlight=False)
        self.console.print(f"seed {self.seed}", highlight=False)
