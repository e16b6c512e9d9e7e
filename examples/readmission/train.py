#!/usr/bin/env python3
"""Trains the readmission model: logistic regression by mini-batch gradient descent, deterministic for a seed.

Reads the raw or the masked patients table (see readmission.py), writes DIR/model.json (it predicts: predict.py) and
DIR/metrics.json, measured on rows the training never saw. Standard library only.
"""

import argparse
import hashlib
import json
import math
import os
import random
import sys

from readmission import FEATURES, LABEL, Model, TableError, read_rows, sigmoid

EPOCHS = 24
BATCH = 64
RATE = 0.25
L2 = 1e-4
DIGITS = 6  # coefficients are rounded, so that the last bit of a platform's exp() does not change the artifact


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def split(samples, holdout, rng):
    order = list(range(len(samples)))
    rng.shuffle(order)
    cut = int(len(order) * (1.0 - holdout))
    return [samples[i] for i in order[:cut]], [samples[i] for i in order[cut:]]


def moments(samples):
    count, width = len(samples), len(samples[0][0])
    means = [round(sum(values[i] for values, _ in samples) / count, DIGITS) for i in range(width)]
    stds = [round(math.sqrt(sum((values[i] - means[i]) ** 2 for values, _ in samples) / count), DIGITS) or 1.0
            for i in range(width)]
    return means, stds


def descend(samples, rng):
    """Coefficients and intercept for standardised samples; the learning rate falls as 1/epoch."""
    width = len(samples[0][0])
    weights, intercept = [0.0] * width, 0.0
    order = list(range(len(samples)))
    for epoch in range(EPOCHS):
        rate = RATE / (1.0 + 0.5 * epoch)
        rng.shuffle(order)
        for start in range(0, len(order), BATCH):
            batch = order[start:start + BATCH]
            gradient, shift = [0.0] * width, 0.0
            for index in batch:
                values, label = samples[index]
                error = sigmoid(intercept + sum(w * v for w, v in zip(weights, values))) - label
                shift += error
                for i, value in enumerate(values):
                    gradient[i] += error * value
            weights = [w - rate * (g / len(batch) + L2 * w) for w, g in zip(weights, gradient)]
            intercept -= rate * shift / len(batch)
    return [round(w, DIGITS) for w in weights], round(intercept, DIGITS)


def auc(scored):
    """Area under the ROC curve as the rank statistic, ties counting half. REQUIRES: both labels occur."""
    ranked = sorted(scored)
    rank_sum, start = 0.0, 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        rank_sum += (start + end + 1) / 2.0 * sum(label for _, label in ranked[start:end])
        start = end
    positives = sum(label for _, label in ranked)
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * (len(ranked) - positives))


def measure(model, samples):
    scored = [(model.probability(values), label) for values, label in samples]
    right = sum((probability >= model.threshold) == bool(label) for probability, label in scored)
    return {
        "auc": round(auc(scored), 4),
        "accuracy": round(right / len(scored), 4),
        "brier": round(sum((probability - label) ** 2 for probability, label in scored) / len(scored), 4),
        "n": len(scored),
    }


def train(path, features, seed, holdout):
    samples = []
    for values, row in read_rows(path, features):
        if row.get(LABEL) not in ("0", "1"):
            raise TableError(f"{path}: column {LABEL} must be 0 or 1 in every row")
        samples.append((values, int(row[LABEL])))
    rng = random.Random(seed)
    fit, held = split(samples, holdout, rng)
    for part, name in ((fit, "training"), (held, "held-out")):
        if len({label for _, label in part}) < 2:
            raise TableError(f"{path}: the {name} rows must carry both labels; more rows are needed")

    means, stds = moments(fit)
    scaled = [([(v - m) / s for v, m, s in zip(values, means, stds)], label) for values, label in fit]
    coefficients, intercept = descend(scaled, rng)
    trained_on = {"sha256": sha256_of(path), "rows": len(fit), "seed": seed}
    model = Model(features, means, stds, coefficients, intercept, 0.5, trained_on)
    return model, measure(model, held)


def main():
    parser = argparse.ArgumentParser(description="Trains the readmission model on a patients table.")
    parser.add_argument("table", help="the CSV, raw or masked")
    parser.add_argument("output", help="directory for model.json and metrics.json")
    parser.add_argument("--seed", type=int, default=1, help="decides the split and the order (default 1)")
    parser.add_argument("--features", default=",".join(FEATURES), help="comma-separated; fewer make a weaker model")
    parser.add_argument("--holdout", type=float, default=0.25, help="share of rows kept for measuring (default 0.25)")
    options = parser.parse_args()
    features = options.features.split(",")
    unknown = sorted(set(features) - set(FEATURES))
    if unknown:
        parser.error(f"unknown feature {', '.join(unknown)}; known: {', '.join(FEATURES)}")
    if not 0.05 <= options.holdout <= 0.9:
        parser.error("--holdout must be between 0.05 and 0.9")

    try:
        model, metrics = train(options.table, features, options.seed, options.holdout)
    except (OSError, TableError) as error:
        sys.exit(f"train.py: {error}")
    os.makedirs(options.output, exist_ok=True)
    model.save(os.path.join(options.output, "model.json"))
    with open(os.path.join(options.output, "metrics.json"), "w", encoding="utf-8") as stream:
        json.dump(metrics, stream, indent=2)
        stream.write("\n")
    print("trained on {} rows, {} features; on {n} unseen rows: auc {auc}, accuracy {accuracy}, brier {brier}".format(
        model.trained_on["rows"], len(features), **metrics))


if __name__ == "__main__":
    main()
