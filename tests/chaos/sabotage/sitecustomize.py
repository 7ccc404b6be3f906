"""Loaded by Python itself when this folder is on the path: breaks what CHAOS_SABOTAGE names."""

import os

if os.environ.get("CHAOS_SABOTAGE"):
    from tests.chaos.sabotage.breaks import apply

    apply(os.environ["CHAOS_SABOTAGE"])
