"""`make chaos`: random faults under load, the comparison after each; exit code 1 on any damage.

ROUNDS=n       how many faults (6), or
MINUTES=n      … until this time is over
SEED=s         the same faults again
KINDS="…"      only these: `kill`, `freeze:mongo`, or the name of a ground
EACH=1         each kind once and briefly, under one load, with one comparison at the end
RATE=n         consultations begun per second (4)
SLACK=n        how many times longer than on an idle machine recoveries may take (1)
CHAOS_SABOTAGE=inbox|early|late|forget|keep   breaks the services on purpose (see `sabotage/`): damage must be found

Where MIGLOBE_KAFKA or MIGLOBE_MONGO is set, that server is used, under a prefix of this run's own, and is itself
left alone. Mails always go to an inbox of the run's own. Each round leaves a line in out/chaos/<seed>.jsonl.
"""

import os
import secrets
import sys
import time

from deploy.local.signals import interrupt_on_signals
from tests.chaos import briefly, elsewhere
from tests.chaos.grounds import GROUNDS, LEFT_OUT, beside, only
from tests.chaos.rounds import summary
from tests.chaos.run import Run
from tests.chaos.sabotage import SABOTAGES


def main() -> None:
    given = {name: text for name, text in os.environ.items() if text}
    began, minutes = time.monotonic(), float(given.get("MINUTES", 0))
    rate, slack = float(given.get("RATE", 4)), float(given.get("SLACK", 1))
    if given.get("EACH"):
        interrupt_on_signals()
        series = briefly.play(rate, slack)
        print(f"{series.text()}\n{time.monotonic() - began:.0f} s", flush=True)
        sys.exit(0 if series.verdict.sound else 1)
    run = Run(
        given.get("SEED") or secrets.token_hex(3),
        rate,
        slack,
        None if minutes and "ROUNDS" not in given else int(given.get("ROUNDS", 6)),
        began + minutes * 60 if minutes else None,
        given.get("CHAOS_SABOTAGE", ""),
        elsewhere.settings(),
    )
    sabotage = SABOTAGES[run.sabotage] if run.sabotage else None
    wanted = given.get("KINDS", "").split() or (sabotage.faults if sabotage else ())
    all_grounds = (beside(elsewhere.servers(run.servers)),) if run.servers else GROUNDS
    grounds = [ground for one in all_grounds if (ground := only(one, wanted)).kinds]
    if not grounds:
        sys.exit(f"KINDS={' '.join(wanted)} names nothing that can be broken here.")
    print(f"SEED={run.seed} RATE={run.rate:g} on {', '.join(ground.name for ground in grounds)}", flush=True)
    if LEFT_OUT:
        print(f"left out: {', '.join(LEFT_OUT)}", flush=True)
    interrupt_on_signals()
    interrupted = False
    try:
        run.play(grounds)
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted", flush=True)
    print(summary(run.played, run.failures, run.seed, time.monotonic() - began), flush=True)
    if sabotage:
        print(f"{run.sabotage} ({sabotage.means}): {'found' if run.proven else 'NOT found'}", flush=True)
    sys.exit(0 if run.sound and not interrupted else 1)


if __name__ == "__main__":
    main()
