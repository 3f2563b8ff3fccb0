"""Small statements in each format, as banks write them; names and numbers are made up."""

from typing import Any

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">
  <BkToCstmrStmt><Stmt><Id>S-2026-03</Id>
    <Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>
    <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <Ntry><Amt Ccy="EUR">250.10</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>{status}</Sts>
      <BookgDt><Dt>2026-03-02</Dt></BookgDt>
      <AcctSvcrRef>B-1</AcctSvcrRef>
      <NtryDtls><TxDtls><Refs><EndToEndId>INV-1</EndToEndId></Refs>
        <RltdPties><Cdtr><Nm>Baker</Nm></Cdtr><CdtrAcct><Id><IBAN>DE99</IBAN></Id></CdtrAcct></RltdPties>
        <RmtInf><Ustrd>Rent</Ustrd><Ustrd>March</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
    <Ntry><Amt Ccy="EUR">60.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{status}</Sts>
      <BookgDt><DtTm>2026-03-03T09:00:00</DtTm></BookgDt><AcctSvcrRef>B-2</AcctSvcrRef>
      <NtryDtls>
        <TxDtls><Refs><EndToEndId>P-1</EndToEndId></Refs><Amt Ccy="EUR">20.00</Amt></TxDtls>
        <TxDtls><Refs><EndToEndId>P-2</EndToEndId></Refs><Amt Ccy="EUR">40.00</Amt></TxDtls>
      </NtryDtls></Ntry>
    <Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts>
      <BookgDt><Dt>2026-03-04</Dt></BookgDt></Ntry>
  </Stmt></BkToCstmrStmt>
</Document>
"""
OLD, NEW = "BOOK", "<Cd>BOOK</Cd>"

MT940 = """:20:STARTUMS
:25:DE02120300000000202051
:28C:00003/001
:60F:C260301EUR1000,00
:61:2603020302DR250,10NTRFINV-1//B-1
:86:166?00SEPA?20EREF+INV-1?21SVWZ+Rent March?30BANKDEFF?31DE99?32BAKER
:61:2603030303C60,NTRFNONREF
:86:plain text
:62F:C260303EUR809,90
-
"""

CSV = """Date;Amount;Reference;Payee;Text;Balance
02.03.2026;-1.250,10;INV-1;Baker;Rent March;-250,10
03.03.2026;60,00;;Müller & Co;Refund;-190,10
"""
CSV_MAPPING: dict[str, Any] = {
    "currency": "EUR", "delimiter": ";", "date_format": "%d.%m.%Y", "decimal": ",",
    "columns": {
        "date": "Date", "amount": "Amount", "reference": "Reference", "counterparty": ["Payee"],
        "description": ["Text"], "balance": "Balance",
    },
}  # fmt: skip


def camt(version: str = "02", closing: str = "809.90") -> bytes:
    """A camt.053 of a version; from 04 on a status is an element of its own."""
    status = OLD if version < "04" else NEW
    return CAMT.format(version=version, closing=closing, status=status).encode()
