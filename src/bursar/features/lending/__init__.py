"""Lending: who asks for a loan of which product, who decides it by which rules, and what comes of it."""
