#!/usr/bin/env python3
"""Replays the planned faults, spillover, isolation and overload, and prints one Markdown table each.

Every figure is the median over the seeds, in brackets the least and the most. A seed changes the luck of requests, the
shifts of superposed copies and who belongs to which feature; the trace's own arrivals are the same (copy 0).

usage: bench/replay_scenarios.py TROUPE TRACE [--seeds 5] [--only faults,spill,isolation,overload]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FAULT_CLOUDS = os.path.join(HERE, "../configs/replay/faults.yaml")
FROM, TO = 1200, 1800

FAULTS = {
    "hard down": ("east-reserved", "{kind: errors, from: %ds, to: %ds}" % (FROM, TO)),
    "silent (half open)": ("east-reserved", "{kind: half_open, from: %ds, to: %ds}" % (FROM, TO)),
    "3x slow": ("east-reserved", "{kind: slow, factor: 3, from: %ds, to: %ds}" % (FROM, TO)),
    "first token 3 s late": ("east-reserved", "{kind: late_first_token, delay: 3s, from: %ds, to: %ds}" % (FROM, TO)),
    "grey: 3 % of calls 50 s late": (
        "east-reserved", "{kind: late_first_token, share: 0.03, delay: 50s, from: %ds, to: %ds}" % (FROM, TO)),
    "useless answers": ("east-reserved", "{kind: poor_quality, share: 0.6, from: %ds, to: %ds}" % (FROM, TO)),
    "flapping: 10 s of every 60 s": ("east-reserved", "{kind: errors, from: %ds, to: %ds, every: 60s}" % (FROM, FROM + 10)),
    "the quickest hard down": ("openhost", "{kind: errors, from: %ds, to: %ds}" % (FROM, TO)),
    "the quickest 5x slow": ("openhost", "{kind: slow, factor: 5, from: %ds, to: %ds}" % (FROM, TO)),
    "provider outage (aws)": ("aws/", "{kind: down, from: %ds, to: %ds}" % (FROM, TO)),
    "region outage (us-east-1)": ("/us-east-1", "{kind: down, from: %ds, to: %ds}" % (FROM, TO)),
}
FAULT_POLICIES = ["troupe", "troupe-no-breaker", "troupe-error-rate-only", "troupe-no-ramp", "troupe-no-fallback",
                  "round-robin", "least-latency", "fallback-on-429"]


def with_faults(text, faults):
    """The clouds with each (where, fault) added: an endpoint's name, or PROVIDER/REGION for many at once."""
    shared = []
    for where, fault in faults:
        if "/" in where:
            provider, region = where.split("/")
            shared.append('    - {provider: "%s", region: "%s", %s' % (provider, region, fault[1:]))
            continue
        begin = text.index("- {name: %s," % where)
        end = text.index("\n", begin)
        line = text[begin:end]
        text = text[:begin] + line[:-1] + ", faults: [%s]}" % fault + text[end:]
    return text + ("  faults:\n" + "\n".join(shared) + "\n" if shared else "")


def replay(program, trace, policies, seed, clouds=None, options=()):
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "replay", "--trace", trace, "--policy", ",".join(policies), "--seed", str(seed),
                   "--out", folder, *options]
        if clouds:
            path = os.path.join(folder, "clouds.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(clouds)
            command += ["--clouds", path]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("%s\n%s" % (" ".join(command), done.stderr))
        with open(os.path.join(folder, "replay.json"), encoding="utf-8") as file:
            return {result["policy"]: result for result in json.load(file)["policies"]}


def spread(values, digits=0):
    known = [value for value in values if value is not None]
    if not known:
        return "never"
    form = "%%.%df" % digits
    text = form % statistics.median(known)
    if max(known) > min(known):
        text += " (%s-%s)" % (form % min(known), form % max(known))
    if len(known) < len(values):
        text += ", never in %d of %d" % (len(values) - len(known), len(values))
    return text


def print_table(title, header, rows):
    print("\n### %s\n\n| %s |\n|%s" % (title, " | ".join(header), "---|" * len(header)))
    for row in rows:
        print("| %s |" % " | ".join(str(cell) for cell in row))
    sys.stdout.flush()


def faults(args):
    with open(FAULT_CLOUDS, encoding="utf-8") as file:
        base = file.read()
    for name, fault in FAULTS.items():
        clouds = with_faults(base, [fault])
        runs = [replay(args.program, args.trace, FAULT_POLICIES, seed, clouds) for seed in args.seed_list]
        rows = []
        for policy in FAULT_POLICIES:
            of = [run[policy]["incidents"][0] for run in runs]
            rows.append([policy, spread([i["failed"] for i in of]), spread([i["slow"] for i in of]),
                         spread([run[policy]["poor"] for run in runs]),
                         spread([i["detected_after"] for i in of], 1), spread([i["recovered_after"] for i in of], 0),
                         spread([i["primary_attempts_per_request"] for i in of], 3),
                         spread([i["backups_tripped"] for i in of])])
        print_table("%s (%d calls meanwhile)" % (name, runs[0]["troupe"]["incidents"][0]["requests"]),
                    ["policy", "failed", "slow", "useless", "detected, s", "recovered, s", "sick primaries per call",
                     "backups tripped"], rows)


def healthy(args):
    with open(FAULT_CLOUDS, encoding="utf-8") as file:
        base = file.read()
    runs = [replay(args.program, args.trace, ["troupe"], seed, base) for seed in args.seed_list]
    print_table("No fault", ["policy", "false trips", "failed", "slow", "ttft p99"],
                [["troupe", spread([run["troupe"]["trips"] for run in runs]),
                  spread([run["troupe"]["failed"] for run in runs]), spread([run["troupe"]["slow"] for run in runs]),
                  spread([run["troupe"]["ttft"]["p99"] for run in runs], 2)]])


def spill(args):
    policies = ["troupe", "troupe-no-headroom", "static-primary", "troupe-on-demand-only", "fallback-on-429", "round-robin"]
    for scale in (1, 2, 3, 4):
        runs = [replay(args.program, args.trace, policies, seed, None, ["--scale", str(scale)])
                for seed in args.seed_list]
        rows = []
        for policy in policies:
            of = [run[policy] for run in runs]
            rows.append([policy, spread([r["offered"] - r["served"] for r in of]),
                         spread([100 * r["reserved_use"] for r in of], 1), spread([r["ttft"]["p50"] for r in of], 2),
                         spread([r["ttft"]["p99"] for r in of], 2), spread([r["attempts"] - r["offered"] for r in of]),
                         spread([sum(r["usd_by_cause"].values()) for r in of], 2)])
        print_table("%dx the reserved capacity" % scale,
                    ["policy", "not served", "reserved used, %", "ttft p50, s", "p99, s", "extra attempts",
                     "on-demand USD"], rows)


# Chat, a class of minutes and a nightly batch; what the clouds can do at once is about 1.5 times the trace's need.
SHARED = [("east-reserved", 24), ("west", 24), ("openhost", 12), ("openhost-small", 24)]


def crowded(text):
    for name, slots in SHARED:
        text = text.replace("- {name: %s," % name, "- {name: %s, limits: {in_flight_max: %d}," % (name, slots))
        text = text.replace("- {id: %s," % name, "- {id: %s, limits: {in_flight_max: %d}," % (name, slots))
    return text


def surges(args, title, surge):
    with open(FAULT_CLOUDS, encoding="utf-8") as file:
        clouds = crowded(file.read())
    policies = ["troupe", "round-robin", "least-latency", "fallback-on-429"]
    mix = ["--mix", "chat=0.6", "--mix", "soon=0.2", "--mix", "recap=0.2"]
    calm = [replay(args.program, args.trace, ["troupe"], seed, clouds, mix) for seed in args.seed_list]
    runs = [replay(args.program, args.trace, policies, seed, clouds, mix + ["--surge", surge])
            for seed in args.seed_list]
    rows = []

    def add(policy, of):
        for feature in ("chat", "soon", "recap"):
            f = [result["features"][feature] for result in of]
            rows.append([policy, feature, spread([x["offered"] for x in f]),
                         spread([x["offered"] - x["served"] for x in f]), spread([x["ttft"]["p50"] for x in f], 2),
                         spread([x["ttft"]["p99"] for x in f], 2), spread([x["total"]["p99"] for x in f], 1)])

    add("troupe, no surge", [run["troupe"] for run in calm])
    for policy in policies:
        add(policy, [run[policy] for run in runs])
    print_table(title, ["policy", "feature", "calls", "not served", "ttft p50, s", "p99, s", "total p99, s"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("trace")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="healthy,faults,spill,isolation,overload")
    args = parser.parse_args()
    args.seed_list = range(1, args.seeds + 1)
    parts = {"healthy": healthy, "faults": faults, "spill": spill,
             "isolation": lambda a: surges(a, "recap at 10x for ten minutes", "recap:10@1200s-1800s"),
             "overload": lambda a: surges(a, "everything at 3x for ten minutes", "3@1200s-1800s")}
    for part in args.only.split(","):
        parts[part](args)


if __name__ == "__main__":
    main()
