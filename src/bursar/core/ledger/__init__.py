"""The double-entry book: accounts, entries of postings, holds, balances, statements.

Money moves by `service.send_many` and by nothing else: it locks every touched account once in id order, decides the
orders one after the other in the pure function `decide.decide`, and writes with set-based statements.
"""
