"""Loans as arithmetic: products, schedules, and what a loan has come to, in whole minor units."""
