"""What training and prediction share: reading a patients table, its features, and the model's file.

Only clinical columns and the age are used, so the same code reads the raw table and the masked one (where the age of
the oldest reads "90+", dates are years and names are "[NAME]"). Standard library only.
"""

import csv
import json
import math

LABEL = "readmitted_30d"
OLDEST_AGE = 90.0  # the Safe Harbor cap; ages above are the same to the model, raw or masked


def parse_age(text):
    return min(OLDEST_AGE, float(text.rstrip("+")))


# Feature name -> (column it is read from, how). The order is the order of the coefficients.
FEATURES = {
    "age": ("age", parse_age),
    "sex_male": ("sex", lambda text: 1.0 if text == "M" else 0.0),
    "prior_admissions": ("prior_admissions", float),
    "length_of_stay_days": ("length_of_stay_days", float),
    "hba1c": ("hba1c", float),
    "systolic_bp": ("systolic_bp", float),
    "creatinine": ("creatinine", float),
    "medications": ("medications", float),
    "heart_failure": ("icd10", lambda text: 1.0 if text.startswith("I50") else 0.0),
}


class TableError(Exception):
    """The table does not fit; the message names columns and line numbers, never a value."""


def read_rows(path, features):
    """Yields (feature values, row) for every record of the CSV at `path`."""
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = sorted({FEATURES[name][0] for name in features} - set(reader.fieldnames or []))
        if missing:
            raise TableError(f"{path}: no column {', '.join(missing)}")
        for row in reader:
            values = []
            for name in features:
                column, convert = FEATURES[name]
                try:
                    values.append(convert(row[column]))
                except (TypeError, ValueError, AttributeError):
                    raise TableError(f"{path}: line {reader.line_num}: column {column} is not a number") from None
            yield values, row


def sigmoid(score):
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


class Model:
    """A logistic regression over standardised features; `model.json` holds all of it."""

    FORMAT = "readmission-logistic/1"

    def __init__(self, features, means, stds, coefficients, intercept, threshold, trained_on):
        self.features = features
        self.means = means
        self.stds = stds
        self.coefficients = coefficients
        self.intercept = intercept
        self.threshold = threshold
        self.trained_on = trained_on

    def probability(self, values):
        score = self.intercept
        for value, mean, std, coefficient in zip(values, self.means, self.stds, self.coefficients):
            score += coefficient * (value - mean) / std
        return sigmoid(score)

    def save(self, path):
        document = {
            "format": self.FORMAT, "label": LABEL, "features": self.features, "means": self.means, "stds": self.stds,
            "coefficients": self.coefficients, "intercept": self.intercept, "threshold": self.threshold,
            "trained_on": self.trained_on,
        }
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2)
            stream.write("\n")

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
        if document.get("format") != cls.FORMAT:
            raise TableError(f"{path}: not a model of format {cls.FORMAT}")
        return cls(*(document[key] for key in ("features", "means", "stds", "coefficients", "intercept", "threshold",
                                                "trained_on")))
