"""Reporting: owns the ledger of facts, rates, honorarium claims; consumes every fact; emits reporting.entry."""
