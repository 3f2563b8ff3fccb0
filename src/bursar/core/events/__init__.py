"""What happened: one row for every action, allowed or refused, written in the transaction of its effect."""
