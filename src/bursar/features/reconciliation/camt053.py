"""Statements as camt.053 (ISO 20022), of any version: elements are found by name in any namespace."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from bursar.features.reconciliation.lines import (
    MOST_BYTES,
    Statement,
    StatementLine,
    exact_minor,
    known_currency,
    refuse,
    refuse_too_many,
    text_of,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


def read_camt053(content: bytes) -> list[Statement]:
    """The statements of a document; a batch entry whose details carry amounts is read as its details."""
    if len(content) > MOST_BYTES:
        raise refuse(f"the file is larger than {MOST_BYTES} bytes")
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise refuse("the document declares a DTD or entities, which no bank needs") from None
    except ParseError as error:
        raise refuse(f"is not well-formed XML (column {error.position[1]})", error.position[0]) from None
    except (LookupError, ValueError, UnicodeError):
        raise refuse("the document's encoding is not known, or it is not written in it") from None
    statements = [_statement(found) for top in _children(root, "BkToCstmrStmt") for found in _children(top, "Stmt")]
    if not statements:
        raise refuse("is no camt.053 document: it has no BkToCstmrStmt/Stmt")
    return statements


def _children(element: "Element", *path: str) -> Iterator["Element"]:
    """The descendants along a path of local names."""
    if not path:
        yield element
        return
    for child in element:
        if child.tag.rpartition("}")[2] == path[0]:
            yield from _children(child, *path[1:])


def _text(element: "Element", *path: str) -> str | None:
    found = next(_children(element, *path), None)
    return (found.text or "").strip() or None if found is not None else None


def _first(*texts: str | None) -> str | None:
    return next((text for text in texts if text), None)


def _statement(found: "Element") -> Statement:
    account = _first(_text(found, "Acct", "Id", "IBAN"), _text(found, "Acct", "Id", "Othr", "Id"))
    if account is None or len(account) > 64:
        raise refuse("a statement names no account")
    balances = {_text(b, "Tp", "CdOrPrtry", "Cd"): b for b in _children(found, "Bal")}
    currency = _first(_text(found, "Acct", "Ccy"), *(_currency(b) for b in balances.values()))
    if currency is None:
        raise refuse("a statement names no currency")
    known_currency(currency)
    opening = next((_money(balances[code], currency, 0) for code in _OPENING if code in balances), None)
    closing = next((_money(balances[code], currency, 0) for code in _CLOSING if code in balances), None)
    lines: list[StatementLine] = []
    for place, entry in enumerate(_children(found, "Ntry"), 1):
        refuse_too_many(len(lines))
        # What is only announced is not in the balance.
        if _first(_text(entry, "Sts", "Cd"), _text(entry, "Sts")) in (None, "BOOK"):
            lines += _lines(entry, currency, place)
    return Statement(account, currency, text_of(_text(found, "Id")), opening, closing, lines)


def _currency(element: "Element") -> str | None:
    amount = next(_children(element, "Amt"), None)
    return amount.get("Ccy") if amount is not None else None


def _money(element: "Element", currency: str, place: int) -> int:
    """The amount of a balance or entry, below zero when it is a debit. A reversal's mark says what it does itself."""
    amount, mark = _text(element, "Amt"), _text(element, "CdtDbtInd")
    if amount is None or mark not in ("CRDT", "DBIT"):
        raise _bad(place, "has no amount, or does not say whether it is a credit or a debit")
    if (_currency(element) or currency) != currency:
        raise _bad(place, "is not in the statement's currency")
    if not amount.replace(".", "", 1).isdecimal() or not amount.isascii():
        raise _bad(place, "has an amount that is no decimal number")
    minor = exact_minor(amount, currency)
    return minor if mark == "CRDT" else -minor


def _bad(place: int, reason: str) -> Exception:
    return refuse(f"entry {place} {reason}" if place else f"a balance {reason}")


def _day(entry: "Element", place: int) -> date:
    text = _first(
        *(_text(entry, which, form) for which in ("BookgDt", "ValDt") for form in ("Dt", "DtTm"))
    )  # fmt: skip
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        raise _bad(place, "has no date of booking") from None


def _lines(entry: "Element", currency: str, place: int) -> Iterator[StatementLine]:
    change, day = _money(entry, currency, place), _day(entry, place)
    if change == 0:
        return
    details = list(_children(entry, "NtryDtls", "TxDtls"))
    parts = [_part(detail, currency, change) for detail in details]
    if len(parts) > 1 and all(parts) and sum(p or 0 for p in parts) == change:
        for detail, part in zip(details, parts, strict=True):
            yield _line(entry, detail, day, part or 0, place)
    else:
        yield _line(entry, details[0] if len(details) == 1 else None, day, change, place)


def _part(detail: "Element", currency: str, change: int) -> int | None:
    """The amount of one detail of a batch, signed as its entry; None where it has none in this currency."""
    for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt")):
        amount = next(_children(detail, *path), None)
        text = (amount.text or "").strip() if amount is not None else ""
        if amount is not None and amount.get("Ccy", currency) == currency and text.replace(".", "", 1).isdecimal():
            minor = exact_minor(text, currency)
            return minor if change > 0 else -minor
    return None


def _line(entry: "Element", detail: "Element | None", day: date, change: int, place: int) -> StatementLine:
    party = "Dbtr" if change > 0 else "Cdtr"
    if detail is None:
        said = _first(_text(entry, "AddtlNtryInf"))
        bank = _first(_text(entry, "AcctSvcrRef"), _text(entry, "NtryRef"))
        return StatementLine(place, day, change, None, text_of(bank), None, text_of(said))
    reference = _first(
        _text(detail, "Refs", "EndToEndId"),
        _text(detail, "RmtInf", "Strd", "CdtrRefInf", "Ref"),
        _text(detail, "Refs", "InstrId"),
    )
    bank = _first(_text(detail, "Refs", "AcctSvcrRef"), _text(entry, "AcctSvcrRef"), _text(entry, "NtryRef"))
    counterparty = _first(
        _text(detail, "RltdPties", f"{party}Acct", "Id", "IBAN"),
        _text(detail, "RltdPties", f"{party}Acct", "Id", "Othr", "Id"),
        _text(detail, "RltdPties", party, "Nm"),
        _text(detail, "RltdPties", party, "Pty", "Nm"),
    )
    said = " ".join((u.text or "") for u in _children(detail, "RmtInf", "Ustrd")) or _text(entry, "AddtlNtryInf")
    return StatementLine(
        place, day, change, text_of(reference), text_of(bank), text_of(counterparty), text_of(said)
    )  # fmt: skip
