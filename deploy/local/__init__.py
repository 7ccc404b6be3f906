"""The embedded stack: Kafka, mongod, a mail sink and the four services on one machine, without containers.

`python -m deploy.local up` for people, `deploy.local.stack.Stack` for tests, the demo and the chaos harness.
"""
