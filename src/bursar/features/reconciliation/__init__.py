"""Bank statements brought into the book, and the book's day-end balances compared with those the bank printed."""
