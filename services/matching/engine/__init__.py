"""Who is asked: policy version 1, all requests of a pass together, to a proven optimum.

The objective is the sum of the scores (`domain.points`) of all requests served, less what a pass's k-th assignment of
one advisor costs, 40 × (k − 1) each. A request may go without where that is better for all, unless it has waited too
long.

`instance` the pass in arrays · `solve` the optimum · `master` HiGHS · `pricing` columns that better it · `serving` who
must be served · `choice` the decisions. Nothing is imported before it is needed: a resting service does without.
"""
