"""What a probe's verdicts on a molecule are called: its domain, and the class it may be.

Apart from what computes them, so that words can be had without loading a model.
"""

from __future__ import annotations

#: Codes of the domain, and their words.
INSIDE, BORDERLINE, OUTSIDE, UNKNOWN = 0, 1, 2, -1
WORDS = {UNKNOWN: "", INSIDE: "in", BORDERLINE: "borderline", OUTSIDE: "outside"}

#: Codes of classes that cannot be excluded, and their words.
INACTIVE, ACTIVE, UNDECIDED, NO_CALL = 0, 1, 2, -1
CALLS = {NO_CALL: "", INACTIVE: "inactive", ACTIVE: "active", UNDECIDED: "undecided"}
