"""The words of the page, said once: what each number means, wherever it stands."""

from __future__ import annotations

PERCENTILE = (
    "percentage of the approved drugs of ChEMBL for which the model predicts a lower value. 50 is "
    "in the middle of them; high is not better, only higher."
)
PROBABILITY = "Probability, from 0 to 1, that the statement is true, in the model's opinion."
TYPICAL_ERROR = (
    "RMSE on held-out molecules of other scaffolds: the error to expect on molecules unlike those "
    "learned from. It is the same for every molecule, so it is no interval for this one."
)
ROC_AUC = (
    "How well a probability ranks held-out molecules of other scaffolds: 0.5 is chance, 1 is "
    "perfect."
)
INTERVAL = (
    "holds the true value of this share of molecules like those the model was fitted on. It is "
    "wider for molecules that are hard to predict; on new ring systems it holds fewer."
)
CALL = (
    "Active or inactive: the other class is excluded at the level of the intervals; undecided: it "
    "is not. Each class is judged by its own molecules, so where one is rare, a probability above "
    "or below 0.5 can go with either."
)
DOMAIN = (
    "Whether the model has learned from molecules of this kind. Borderline and outside: less "
    "similar to its training molecules than 90 %, or 98 %, of these are to each other. Outside, "
    "trust neither the number nor its interval."
)
NEAREST = (
    "Tanimoto similarity (ECFP4) to the nearest molecule that the model was fitted on, the lowest "
    "of all models shown."
)
COSINE = "cosine: likeness in the model's own space, 1 is the same."
TANIMOTO = "Tanimoto: shared substructures (ECFP4), 1 is the same."
SCAFFOLD_SPLIT = (
    "Molecules are split by their ring systems: those that are tested on have ring systems that "
    "the model was not fitted on."
)

#: Term and meaning, in the order of a reader's questions.
TERMS: tuple[tuple[str, str], ...] = (
    ("Percentile", f"The {PERCENTILE}"),
    ("Probability (p)", PROBABILITY),
    ("Typical error (±)", TYPICAL_ERROR),
    ("ROC-AUC", ROC_AUC),
    ("Interval", f"It {INTERVAL}"),
    ("Active, inactive, undecided", CALL),
    ("Domain", DOMAIN),
    ("Scaffold split", SCAFFOLD_SPLIT),
    ("Cosine and Tanimoto", f"{COSINE.capitalize()} {TANIMOTO}"),
    (
        "Standardized SMILES",
        "What is predicted for: the largest organic part, charges neutralized, isotopes removed, "
        "stereo kept. What was changed is in the column Problem, as a note.",
    ),
)
