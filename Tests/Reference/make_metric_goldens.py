"""Writes Tests/TrainingTests/Goldens/metrics.h5: what scikit-learn says of made-up predictions.

Each group is a case: `probabilities` [n, classes] float32 and `labels` [n], and as attributes the
numbers by the names that `tl evaluate` gives them, the means and counts beside them; numbers that
scikit-learn calls undefined are NaN. `classes` [4, classes] holds precision, recall, f1 and roc_auc of
each class, `confusion` [classes, classes] counts true classes in rows.

scikit-learn has no expected calibration error and no interval for shares of photos:
`calibration_error` and `wilson` below are formulas of their own, written from the papers.
`curve` [15, 3] holds count, mean confidence and accuracy of every bin, the attribute `interval` [2] is the accuracy's.

Made with Python 3.11, scikit-learn 1.9.1, numpy 2.4.6, h5py 3.14.0:
    python Tests/Reference/make_metric_goldens.py
"""

import math
import pathlib
import warnings

import h5py
import numpy as np
import sklearn
from sklearn import metrics

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "TrainingTests" / "Goldens" / "metrics.h5"


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def sigmoid(scores):
    second = (1 / (1 + np.exp(-scores))).astype(np.float32)
    return np.stack([1 - second, second], axis=1)


def case(seed, count, classes, skill, absent=(), never=(), steps=None):
    """Labels and probabilities; `steps` rounds the scores so that many are equal."""
    random = np.random.default_rng(seed)
    present = [c for c in range(classes) if c not in absent]
    labels = random.choice(present, count)
    scores = random.normal(size=(count, classes))
    scores[np.arange(count), labels] += skill
    for column in never:
        scores[:, column] -= 50
    if steps:
        scores = np.round(scores * steps) / steps
    if classes == 2:
        return labels, sigmoid(scores[:, 1] - scores[:, 0])
    return labels, softmax(scores)


def calibration_error(labels, probabilities, bins=15):
    """Guo and others 2017, equation 3: bins (i/15, (i+1)/15] of the predicted class's probability."""
    values = probabilities.astype(np.float64)
    predicted = values.argmax(axis=1)
    confidence = values.max(axis=1)
    curve = np.full((bins, 3), np.nan)
    error = 0.0
    for index in range(bins):
        inside = (confidence > index / bins) & (confidence <= (index + 1) / bins)
        curve[index, 0] = inside.sum()
        if inside.any():
            curve[index, 1] = confidence[inside].mean()
            curve[index, 2] = (predicted == labels)[inside].mean()
            error += inside.mean() * abs(curve[index, 2] - curve[index, 1])
    return error, curve


def wilson(right, count, z=1.959963984540054):
    """Both roots of (p - share)^2 = z^2 p (1 - p) / count, Wilson 1927."""
    share = right / count
    a, b, c = 1 + z * z / count, -(2 * share + z * z / count), share * share
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def area(is_positive, scores):
    if is_positive.all() or not is_positive.any():
        return math.nan
    return metrics.roc_auc_score(is_positive, scores)


def write(group, labels, probabilities, top_k):
    classes = probabilities.shape[1]
    names = np.arange(classes)
    values = probabilities.astype(np.float64)
    predicted = values.argmax(axis=1)
    clipped = np.clip(values, np.float32(1e-7), np.float32(1) - np.float32(1e-7))
    group["labels"] = labels.astype(np.int32)
    group["probabilities"] = probabilities
    numbers = {
        # log_loss would scale the clipped rows to a sum of 1 again: one row at a time it cannot.
        "loss": np.mean(
            [
                metrics.log_loss([1], [[1 - row[label], row[label]]], labels=[0, 1])
                for row, label in zip(clipped, labels)
            ]
        ),
        "accuracy": metrics.accuracy_score(labels, predicted),
        f"top_{top_k}_accuracy": metrics.top_k_accuracy_score(
            labels, values[:, 1] if classes == 2 else values, k=top_k, labels=names
        ),
    }
    for mean in ("macro", "weighted"):
        for name, function in (
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
            ("f1", metrics.f1_score),
        ):
            numbers[f"{name}_{mean}"] = function(labels, predicted, average=mean)
    areas = np.array([area(labels == c, values[:, c]) for c in names])
    whole = set(labels) == set(names)
    if classes == 2:
        numbers["roc_auc"] = area(labels == 1, values[:, 1])
        numbers["brier"] = metrics.brier_score_loss(labels, values[:, 1], pos_label=1, labels=names)
    else:
        numbers["roc_auc"] = (
            metrics.roc_auc_score(labels, values / values.sum(axis=1, keepdims=True), multi_class="ovr")
            if whole
            else np.nanmean(areas)
        )
        numbers["brier"] = metrics.brier_score_loss(labels, values, labels=names)
    numbers["ece"], group["curve"] = calibration_error(labels, probabilities)
    for name, value in numbers.items():
        group.attrs[name] = np.float64(value)
    group.attrs["top_k"] = np.int32(top_k)
    each = metrics.precision_recall_fscore_support(labels, predicted, labels=names)
    group["classes"] = np.stack([*each[:3], areas])
    group["confusion"] = metrics.confusion_matrix(labels, predicted, labels=names).astype(np.int32)
    group.attrs["interval"] = np.array(wilson((labels == predicted).sum(), len(labels)))


def main():
    warnings.simplefilter("ignore")
    certain = np.eye(2, dtype=np.float32)
    cases = {
        "two": (case(1, 150, 2, 1.2), 1),
        "two_ties": (case(2, 120, 2, 1.0, steps=1), 2),
        "two_one_sided": ((np.ones(20, int), sigmoid(np.linspace(-1, 3, 20))), 1),
        "two_perfect": ((np.array([0, 1] * 15), certain[[0, 1] * 15]), 1),
        "two_always_wrong": ((np.array([0, 1] * 15), certain[[1, 0] * 15]), 1),
        "two_never_predicted": ((np.array([0, 1] * 10), sigmoid(np.linspace(-4, -1, 20))), 1),
        "five": (case(3, 200, 5, 1.5), 2),
        "five_ties": (case(4, 200, 5, 1.0, steps=1), 3),
        "five_absent": (case(5, 160, 5, 1.5, absent=[2]), 3),
        "five_absent_everywhere": (case(6, 160, 5, 1.5, absent=[4], never=[4]), 2),
        "five_never_predicted": (case(7, 160, 5, 1.5, never=[0]), 2),
        "twelve": (case(8, 180, 12, 2.0), 5),
    }
    with h5py.File(GOLDEN, "w", libver=("earliest", "v108")) as file:
        file.attrs["sklearn_version"] = sklearn.__version__
        for name, ((labels, probabilities), top_k) in cases.items():
            write(file.create_group(name), np.asarray(labels), probabilities, top_k)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes")


main()
