#!/usr/bin/env python3
"""Predicts 30-day readmission for the rows of a patients table with a trained model.json.

Writes CSV (row, probability, readmission) and nothing of the input. Standard library only.
"""

import argparse
import csv
import itertools
import sys

from readmission import Model, TableError, read_rows


def main():
    parser = argparse.ArgumentParser(description="Predicts readmission for the rows of a patients table.")
    parser.add_argument("model", help="model.json")
    parser.add_argument("table", help="the CSV, raw or masked")
    parser.add_argument("--limit", type=int, default=None, help="stop after this many rows")
    options = parser.parse_args()
    try:
        model = Model.load(options.model)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["row", "probability", "readmission"])
        rows = itertools.islice(read_rows(options.table, model.features), options.limit)
        for number, (values, _) in enumerate(rows, start=1):
            probability = model.probability(values)
            writer.writerow([number, f"{probability:.4f}", "yes" if probability >= model.threshold else "no"])
    except (OSError, KeyError, ValueError, TableError) as error:
        sys.exit(f"predict.py: {error}")


if __name__ == "__main__":
    main()
