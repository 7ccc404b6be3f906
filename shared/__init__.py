"""The plumbing that all four services need identically, and the event contracts. Never a business rule."""
