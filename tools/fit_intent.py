#!/usr/bin/env python3
"""Fits the words by which a query's intent is guessed and prints agents/search/intent_weights.cpp.

A logistic regression over the words of a refiner (what people add to the name of a thing: "acme login") for three
classes: website = navigational, property = informational, service and other = other. Input: refiners_categorization.tsv
of iai-group/ecir2018-intents (type, refiner, category, share of judges). Only refiners of the half that
`in_dev` names are read; bench/search_bench.cpp reports the other half. A refiner counts by its judges' share. Printed
are the words that weigh most, nothing else of the data.

usage: tools/fit_intent.py refiners_categorization.tsv > agents/search/intent_weights.cpp
       tools/fit_intent.py refiners_categorization.tsv --check    five-fold accuracy within that half
"""
import csv
import math
import re
import sys
import textwrap

CLASSES = {"website": 0, "property": 1, "service": 2, "other": 2}
ROUNDS, RATE, PENALTY = 120, 0.3, 0.0006
WORDS_KEPT = 160
MASK = (1 << 64) - 1
# Words that were written down by hand, so that words the data lacks count, too: places on the web and ways into
# them; and what one knows of a thing.
PLACES = """login log signin sign account site website homepage home official online wiki wikipedia twitter facebook
instagram youtube linkedin imdb amazon ebay reddit github pinterest tripadvisor yelp booking expedia netflix spotify
quizlet snapchat tumblr soundcloud google webmail intranet dashboard url link blog forum com net org www app portal
page""".split()
FACTS = """hour price phone number address contact age salary size date population history founder owner wife husband
married spouse parent father mother son daughter height weight worth capital currency meaning definition pronunciation
symptom cause dosage cost fee zip postcode code location headquarter ceo birthday born birth died death cast team fact
origin formula structure use requirement rate distance weather coach manager director author president color shape
length width depth area temperature speed side effect treatment type value language religion time opening year
released release rating score result""".split()


def stable_hash(text):
    """runtime/base/rng.hpp: FNV-1a and one round of SplitMix64."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    z = (h + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def in_dev(refiner):
    """The same refiner of two types is in one half."""
    return stable_hash(refiner) % 2 == 0


def features(refiner):
    """As intent_features of agents/search/intent.cpp."""
    words = re.findall(r"[a-z0-9\x80-\U0010ffff]+", refiner.lower())
    out = set(word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words)
    if any(word.isdigit() for word in words):
        out.add("#number")
    out.update(name for name, cues in (("#fact", FACTS), ("#place", PLACES)) if out & set(cues))
    out.add("#one" if len(words) == 1 else "#two" if len(words) == 2 else "#many")
    return out


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return [(row[1], features(row[1]), CLASSES[row[2]], float(row[3])) for row in rows if in_dev(row[1])]


def fit(rows):
    """Weights by feature, three each; steps over all rows at rates of their own (Adagrad), an L2 penalty."""
    weights = {"": [0.0, 0.0, 0.0]}
    for _, found, _, _ in rows:
        for name in found:
            weights.setdefault(name, [0.0, 0.0, 0.0])
    squares = {name: [1e-8] * 3 for name in weights}
    total = sum(row[3] for row in rows)
    for _ in range(ROUNDS):
        slopes = {name: [PENALTY * value if name else 0.0 for value in weights[name]] for name in weights}
        for _, found, kind, share in rows:
            for c, chance in enumerate(chances_of(weights, weights[""], found)):
                wrong = share * (chance - (c == kind)) / total
                slopes[""][c] += wrong
                for name in found:
                    slopes[name][c] += wrong
        for name, slope in slopes.items():
            for c in range(3):
                squares[name][c] += slope[c] ** 2
                weights[name][c] -= RATE * slope[c] / math.sqrt(squares[name][c])
    bias = weights.pop("")
    return weights, bias


def chances_of(weights, bias, found):
    sums = list(bias)
    for name in found:
        for c, weight in enumerate(weights.get(name, ())):
            sums[c] += weight
    most = max(sums)
    powers = [math.exp(value - most) for value in sums]
    return [power / sum(powers) for power in powers]


def kept(weights):
    order = sorted(weights, key=lambda name: (not name.startswith("#"), -max(map(abs, weights[name])), name))
    return {name: weights[name] for name in order[:WORDS_KEPT]}


def check(rows):
    table, loss = [[0] * 3 for _ in range(3)], 0.0
    for fold in range(5):
        inside = [row for row in rows if stable_hash("fold " + row[0]) % 5 != fold]
        weights, bias = fit(inside)
        weights = kept(weights)
        for name, found, kind, _ in rows:
            if stable_hash("fold " + name) % 5 == fold:
                chances = chances_of(weights, bias, found)
                table[kind][chances.index(max(chances))] += 1
                loss -= math.log(chances[kind])
    right = sum(table[c][c] for c in range(3))
    print(f"rows {len(rows)}, right {right / len(rows):.3f}, loss {loss / len(rows):.3f}, by true class {table}")


def print_cues(name, cues):
    print(f"bool is_{name}_cue(std::string_view word) {{")
    print("  static constexpr std::string_view cues[] = {")
    print(textwrap.fill(", ".join(f'"{cue}"' for cue in cues) + "};", 106, initial_indent="      ",
                        subsequent_indent="      "))
    print("  return std::ranges::binary_search(cues, word);\n}\n")


def main():
    rows = read(sys.argv[1])
    if "--check" in sys.argv:
        return check(rows)
    weights, bias = fit(rows)
    weights = kept(weights)
    print("// Made by tools/fit_intent.py: how much a word speaks for each intent.")
    print('#include "agents/search/intent.hpp"\n')
    print("#include <algorithm>\n#include <array>\n")
    print("namespace troupe::search {\nnamespace {\n")
    print(f"constexpr std::array<WordWeights, {len(weights)}> kIntentWords = {{{{")
    for name in sorted(weights):
        values = ", ".join(f"{value:.2f}" for value in weights[name])
        print(f'    {{"{name}", {{{values}}}}},')
    print("}};\n\n}  // namespace\n")
    print("std::span<const WordWeights> intent_words() { return kIntentWords; }\n")
    for name, cues in (("place", PLACES), ("fact", FACTS)):
        print_cues(name, sorted(set(cues)))
    values = ", ".join(f"{value:.2f}" for value in bias)
    print(f"std::array<double, 3> intent_bias() {{ return {{{values}}}; }}\n")
    print("}  // namespace troupe::search")


if __name__ == "__main__":
    main()
