#!/usr/bin/env python3
"""Fits the simulator's latency laws to measured requests and prints them as YAML.

Log-normal by quantile matching: median = p50, sigma = ln(p90 / p50) / 1.2816. KS is the largest distance
between the measured and the fitted distribution function. Input: llmperf_individual.csv of ray-
project/llmperf-leaderboard (Apache-2.0). Requests with an error code are left out; those with -100 (the
client's own rule: fewer tokens than it asked for) count for TTFT only, because their inter-token figure
divides by what it did not get.

usage: tools/fit_latency.py [CSV]
"""
import collections
import csv
import math
import os
import sys

Z90 = 1.2815515655446004
DEFAULT = os.path.join(os.path.dirname(__file__), "../../shared/data/provider_latency/llmperf_individual.csv")


def quantile(ordered, share):
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def fit(values):
    ordered = sorted(value for value in values if value > 0)
    median = quantile(ordered, 0.5)
    sigma = max(math.log(quantile(ordered, 0.9) / median) / Z90, 1e-6)
    worst = 0.0
    for i, value in enumerate(ordered):
        model = 0.5 * (1 + math.erf(math.log(value / median) / (sigma * math.sqrt(2))))
        worst = max(worst, abs(model - i / len(ordered)), abs(model - (i + 1) / len(ordered)))
    return median, sigma, worst


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
    groups = collections.defaultdict(lambda: ([], []))
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["error_code"] not in ("", "-100"):
                continue
            ttft, inter_token = groups[row["provider"], row["model_size"]]
            if not row["ttft_s"] or not row["inter_token_latency_s"]:
                continue
            ttft.append(float(row["ttft_s"]))
            if not row["error_code"]:
                inter_token.append(float(row["inter_token_latency_s"]))
    print("# ray-project/llmperf-leaderboard, Apache-2.0; fitted by tools/fit_latency.py")
    for (provider, size), (ttft, inter_token) in sorted(groups.items()):
        if len(ttft) < 20:
            continue
        median, sigma, distance = fit(ttft)
        itl, itl_sigma, itl_distance = fit(inter_token)
        figures = f"KS ttft {distance:.3f}, inter-token {itl_distance:.3f}"
        print(f"{provider}-{size}:  # {len(ttft)} requests, {figures}")
        print(f"  ttft_median: {median * 1000:.0f}ms\n  ttft_sigma: {sigma:.2f}")
        print(f"  inter_token_median: {itl * 1000:.1f}ms\n  inter_token_sigma: {itl_sigma:.2f}")


if __name__ == "__main__":
    main()
