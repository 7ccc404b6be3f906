"""The four services. None imports another: they meet in the events of `shared/events` only."""
