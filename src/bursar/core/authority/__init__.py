"""Who may do what: the one function that authorises money, and the one table of actions.

`service.carry_out` is the only caller of the ledger's `send_many` for requests; it authenticates, replays, checks,
moves, records and pins in one transaction. `desk.Desk` coalesces what arrives together into one commit.
"""
