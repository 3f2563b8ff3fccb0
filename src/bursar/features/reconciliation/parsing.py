"""One way into every format of statements."""

from bursar.features.reconciliation.camt053 import read_camt053
from bursar.features.reconciliation.csv_statement import CsvMapping, read_csv
from bursar.features.reconciliation.lines import Format, Statement
from bursar.features.reconciliation.mt940 import read_mt940
from bursar.kernel.refusal import InvalidArgument


def read_statements(content: bytes, format: Format, mapping: CsvMapping | None, account: str | None) -> list[Statement]:
    """The statements of a file; refuses it as a whole, with a reason and where there is one a line.

    `mapping` is for CSV, and so is `account`, where no column names it.
    """
    if (format == "csv") != (mapping is not None):
        raise InvalidArgument("mapping", "is for csv, which needs one")
    if mapping is not None:
        return read_csv(content, mapping, account)
    return read_camt053(content) if format == "camt053" else read_mt940(content)
