"""Slow, plain second opinions on the tasks, written from the papers, and encoders that need no model."""

import heapq
import math
import zlib

import numpy as np

from isoglot.evaluate.task import Space


def space_of(vectors, fingerprint="model"):
    """A space that knows some texts: text -> vector."""
    return Space(lambda texts: np.stack([vectors[text] for text in texts]).astype(np.float32), fingerprint)


def random_space(texts, dimension=16, seed=0):
    """Random vectors for texts."""
    random = np.random.default_rng(seed)
    return {text: random.normal(size=dimension).astype(np.float32) for text in dict.fromkeys(texts)}


def hashed(texts, dimension=256):
    """A real if simple encoder: signed counts of the letters in twos and threes, hashed into some components."""
    vectors = {}
    for text in dict.fromkeys(texts):
        vector, padded = np.zeros(dimension, np.float32), f" {text.lower()} "
        for size in (2, 3):
            for start in range(len(padded) - size + 1):
                number = zlib.crc32(padded[start : start + size].encode())
                vector[number % dimension] += 1 if number >> 20 & 1 else -1
        vectors[text] = vector
    return vectors


def cosine(a, b):
    a, b = [float(v) for v in a], [float(v) for v in b]
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(
        sum(x * x for x in a) * sum(y * y for y in b)
    )


def cosines(first, second):
    """All cosines in float64, without blocks."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return first @ second.T


def top1(queries, documents, gold):
    """Share of queries whose most similar document is the right one, document by document."""
    return float(
        np.mean(
            [int(row.argmax()) == right for row, right in zip(cosines(queries, documents), gold, strict=True)]
        )
    )


def laser_pairs(first, second, k=4):
    """Pairs (score, i, j) by the ratio margin in both directions, each sentence once, best first.

    margin(x, y) = cos(x, y) / (sum over the k neighbours of x of cos / 2k + the same of y), Artetxe & Schwenk 2019,
    equations 1 and 2; "max" retrieval of LASER.
    """
    similarity = cosines(first, second)
    rows, columns = similarity.tolist(), similarity.T.tolist()
    of_first = [sum(heapq.nlargest(k, row)) / k for row in rows]
    of_second = [sum(heapq.nlargest(k, column)) / k for column in columns]
    candidates = set()
    for i, row in enumerate(rows):
        near = heapq.nlargest(k, range(len(row)), key=row.__getitem__)
        candidates.add(max((row[j] / ((of_first[i] + of_second[j]) / 2), i, j) for j in near))
    for j, column in enumerate(columns):
        near = heapq.nlargest(k, range(len(column)), key=column.__getitem__)
        candidates.add(max((column[i] / ((of_first[i] + of_second[j]) / 2), i, j) for i in near))
    seen_first, seen_second, pairs = set(), set(), []
    for score, i, j in sorted(candidates, reverse=True):
        if i not in seen_first and j not in seen_second:
            seen_first.add(i)
            seen_second.add(j)
            pairs.append((score, i, j))
    return pairs


def best_threshold(pairs, gold):
    """The middle between the last pair kept and the first one dropped, where F1 is highest."""
    best, threshold, right = 0.0, math.inf, 0
    for number, (score, i, j) in enumerate(pairs):
        right += (i, j) in gold
        precision, recall = right / (number + 1), right / len(gold)
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        if f1 > best:
            best, threshold = f1, (score + pairs[min(number + 1, len(pairs) - 1)][0]) / 2
    return threshold


def precision_recall_f1(pairs, gold, threshold):
    kept = {(i, j) for score, i, j in pairs if score >= threshold}
    right = len(kept & set(gold))
    precision = right / len(kept) if kept else 0.0
    recall = right / len(gold)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
