"""Loans from the application to the last repayment; what decides here is pure, and money moves at the desk alone."""
