#!/usr/bin/env python3
"""Replays what docs/REPLAY.md's scenarios are about, each with its ablations, and prints one Markdown table each.

Every figure is the median over the seeds, in brackets the least and the most. A seed changes the luck of requests, the
shifts of superposed copies and who belongs to which feature; the trace's own arrivals are the same (copy 0).

usage: bench/replay_scenarios.py TROUPE TRACE [--seeds 5] [--only PART[,PART]] [--plot FILE.svg], parts: healthy, faults, recovery, peak,
hedge, curve, spill, money, isolation, overload, speed. --plot takes what `curve` found as a picture.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile

from curve_plot import curve_svg

HERE = os.path.dirname(os.path.abspath(__file__))
FAULT_CLOUDS = os.path.join(HERE, "../configs/replay/faults.yaml")
SHARED_CLOUDS = os.path.join(HERE, "../configs/replay/shared.yaml")
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
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        if status != 0:
            sys.exit("%s\n%s" % (" ".join(command), said))
        with open(os.path.join(folder, "replay.json"), encoding="utf-8") as file:
            results = {result["policy"]: result for result in json.load(file)["policies"]}
        for result in results.values():
            result["resident_mb"] = used.ru_maxrss / 1024
            result["cpu_seconds"] = used.ru_utime + used.ru_stime
        return results


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def with_breaker(text, options):
    """The clouds with these breaker options at every endpoint."""
    return text.replace("endpoints:\n  list:", "endpoints:\n  defaults: {breaker: {%s}}\n  list:" % options, 1)


def per_seed(args, policies, clouds=None, options=()):
    return [replay(args.program, args.trace, policies, seed, clouds, options) for seed in args.seed_list]


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
    policies = ["troupe", "troupe-no-headroom", "troupe-no-spillover", "static-primary", "troupe-on-demand-only",
                "fallback-on-429", "round-robin"]
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


def recovery(args):
    """How long until a healed endpoint has all its traffic back, by how long a cool-down may become."""
    base = read(FAULT_CLOUDS)
    for name in ("hard down", "silent (half open)", "3x slow", "grey: 3 % of calls 50 s late"):
        rows = []
        for label, options in (("cool-down to 5m", "cool_down_max: 5m"), ("to 2m", "cool_down_max: 2m"), ("to 1m (default)", ""),
                               ("to 20s", "cool_down_max: 20s"), ("to 1m, ramp from 5 %", "ramp: [0.05, 0.25, 1]"),
                               ("to 1m, ramp from 25 %", "ramp: [0.25, 1]"), ("to 1m, no ramp", "ramp: [1]")):
            clouds = with_breaker(with_faults(base, [FAULTS[name]]), options) if options else with_faults(base, [FAULTS[name]])
            of = [run["troupe"]["incidents"][0] for run in per_seed(args, ["troupe"], clouds)]
            rows.append([label, spread([i["failed"] for i in of]), spread([i["slow"] for i in of]),
                         spread([i["recovered_after"] for i in of], 0),
                         spread([i["primary_attempts_per_request"] for i in of], 4)])
        print_table("Recovery: %s" % name, ["breaker", "failed", "slow", "recovered, s", "sick primaries per call"], rows)


# Places at once; a cloud that is asked for more lets calls wait in line, as engines do. Together the backups bear 10.8 calls a second
# of the trace's mean, which has 10.5 in its busiest minutes.
PEAK = {"west": 40, "openhost": 12, "openhost-small": 16}


def peak(args):
    text = with_faults(read(FAULT_CLOUDS), [FAULTS["hard down"]])
    for name, places in PEAK.items():
        text = text.replace("- {id: %s," % name, "- {id: %s, limits: {in_flight_max: %d}," % (name, places))
        text = text.replace("- {name: %s," % name, "- {name: %s, replay: {slots: %d}," % (name, places))
    policies = ["troupe", "troupe-no-headroom", "troupe-no-breaker", "round-robin", "least-latency", "fallback-on-429"]
    rows = []
    runs = per_seed(args, policies, text)
    for policy in policies:
        of = [run[policy] for run in runs]
        incidents = [r["incidents"][0] for r in of]
        rows.append([policy, spread([i["failed"] for i in incidents]), spread([i["slow"] for i in incidents]),
                     spread([i["backups_tripped"] for i in incidents]), spread([r["ttft"]["p99"] for r in of], 2),
                     spread([r["total"]["p99"] for r in of], 1), spread([i["detected_after"] for i in incidents], 1)])
    print_table("The largest endpoint down at peak (%d calls meanwhile)" % runs[0]["troupe"]["incidents"][0]["requests"],
                ["policy", "failed", "slow", "backups tripped", "ttft p99, s", "total p99, s", "detected, s"], rows)


def hedge(args):
    """Two first tokens in a hundred come after some 3 s, everywhere, and chat may hedge."""
    text = read(FAULT_CLOUDS).replace("latency:", "replay: {tail_share: 0.02, tail_ttft_median: 3s, tail_ttft_sigma: 0.3}, latency:")
    text = text.replace("class: interactive,", "class: interactive, hedge: {enabled: true},")
    policies = ["troupe", "troupe-no-hedge", "round-robin"]
    runs = per_seed(args, policies, text)
    rows = []
    for policy in policies:
        of = [run[policy] for run in runs]
        hedges = [r["attempts_by_cause"].get("hedge", 0) for r in of]
        rows.append([policy, spread([r["ttft"]["p50"] for r in of], 2), spread([r["ttft"]["p90"] for r in of], 2),
                     spread([r["ttft"]["p99"] for r in of], 2), spread([100 * h / r["offered"] for h, r in zip(hedges, of)], 1),
                     spread([sum(r["usd_by_cause"].values()) for r in of], 2), spread([r["slow"] for r in of]),
                     spread([r["trips"] for r in of])])
    print_table("Late first tokens and hedges", ["policy", "ttft p50, s", "p90, s", "p99, s", "hedged, %", "on-demand USD", "slow", "trips"],
                rows)


CURVE = [("chance %s" % c, "trip_chance_max: %s" % c) for c in ("1", "1e-1", "1e-2", "1e-3", "1e-4", "1e-6 (default)", "1e-9", "1e-12")]
CURVE += [("ratio %s" % r, "ttft_ratio_max: {0}, itl_ratio_max: {0}, total_ratio_max: {0}, stall_ratio_max: {1}".format(r, s))
          for r, s in ((1.3, 4), (1.6, 5), (2, 7), (5, 17))]
CURVE += [("samples %d" % n, "samples_min: %d" % n) for n in (5, 20, 40)]
CURVE_FAULTS = ["hard down", "3x slow", "first token 3 s late", "grey: 3 % of calls 50 s late"]


def curve(args):
    """Detection delay against false trips; the healthy hours have two late first tokens in a hundred."""
    base = read(FAULT_CLOUDS)
    noisy = base.replace("latency:", "replay: {tail_share: 0.02, tail_ttft_median: 3s, tail_ttft_sigma: 0.3}, latency:")
    rows, points, watched = [], [], 0
    for label, options in CURVE:
        options = options.replace(" (default)", "")
        well = [run["troupe"] for run in per_seed(args, ["troupe"], with_breaker(noisy, options), ["--scale", "4"])]
        hours = [len(r["endpoints"]) * r["virtual_seconds"] / 3600 for r in well]
        rates = [r["trips"] / h for r, h in zip(well, hours)]
        row, delays, watched = [label, spread(rates, 2)], {}, sum(hours)
        for name in CURVE_FAULTS:
            of = [run["troupe"]["incidents"][0]
                  for run in per_seed(args, ["troupe"], with_breaker(with_faults(noisy, [FAULTS[name]]), options))]
            found = [i["detected_after"] for i in of]
            row.append(spread(found, 1))
            delays[name] = None if None in found else statistics.median(found)
        rows.append(row)
        points.append((label, statistics.median(rates), delays))
    if args.plot:
        with open(args.plot, "w", encoding="utf-8") as file:
            file.write(curve_svg(CURVE_FAULTS, points, watched))
    print_table("Detection delay against false trips", ["threshold", "false trips per endpoint-hour"] +
                ["%s: found after, s" % name for name in CURVE_FAULTS], rows)


def money(args):
    """The reserved endpoint bears just the trace's mean; an hour of it costs what 60 % of its tokens would on demand (an assumption)."""
    policies = ["troupe-reserved-only", "troupe-on-demand-only", "troupe"]
    rows = []
    for scale in (0.25, 0.5, 0.6, 0.75, 1, 2, 3, 4):
        runs = per_seed(args, policies, None, ["--scale", str(scale)])
        for policy in policies:
            of = [run[policy] for run in runs]
            demand = [sum(r["usd_by_cause"].values()) for r in of]
            hours = [0 if policy == "troupe-on-demand-only" else r["usd_reserved"] for r in of]
            served = [max(r["served"], 1) for r in of]
            rows.append(["%gx" % scale, {"troupe": "hybrid"}.get(policy, policy[7:]), spread([r["offered"] - r["served"] for r in of]),
                         spread([100 * r["reserved_use"] for r in of], 1), spread([r["ttft"]["p99"] for r in of], 2),
                         spread(hours, 2), spread(demand, 2), spread([a + b for a, b in zip(hours, demand)], 2),
                         spread([1000 * (a + b) / n for a, b, n in zip(hours, demand, served)], 3)])
    print_table("Dollars of reserved, on-demand and both", ["load", "capacity", "not served", "reserved used, %", "ttft p99, s",
                                                            "reserved USD", "on-demand USD", "sum", "USD per 1,000 served"], rows)


SHARES = ["troupe", "troupe-no-shares", "troupe-no-kept-room", "troupe-no-ageing", "round-robin", "fallback-on-429"]


def surges(args, title, surge, parts, policies):
    mix = [word for name, share in parts.items() for word in ("--mix", "%s=%g" % (name, share))]
    clouds = read(SHARED_CLOUDS)
    calm = [run["troupe"] for run in per_seed(args, ["troupe"], clouds, mix)]
    rows = []

    def add(policy, of):
        for feature in parts:
            f = [result["features"][feature] for result in of]
            rows.append([policy, feature, spread([x["offered"] for x in f]), spread([x["offered"] - x["served"] for x in f]),
                         spread([x["ttft"]["p50"] for x in f], 2), spread([x["ttft"]["p99"] for x in f], 2),
                         spread([x["total"]["p99"] for x in f], 1), spread([r["open_most"] for r in of]),
                         spread([r["resident_mb"] for r in of], 1)])

    add("troupe, no surge", calm)
    for policy in policies:
        add(policy, [run[policy] for run in per_seed(args, [policy], clouds, mix + ["--surge", surge])])
    print_table(title, ["policy", "feature", "calls", "not served", "ttft p50, s", "p99, s", "total p99, s", "most open", "resident MB"],
                rows)


def isolation(args):
    surges(args, "recap (batch) at 10x for ten minutes", "recap:10@300s-900s", {"chat": 0.6, "soon": 0.2, "recap": 0.2}, SHARES)
    surges(args, "search (interactive) at 10x for ten minutes", "search:10@300s-900s", {"chat": 0.6, "soon": 0.15, "search": 0.25}, SHARES[:2])


def overload(args):
    surges(args, "Everything at 6x, three times what the clouds bear, for ten minutes", "6@300s-900s",
           {"chat": 0.2, "soon": 0.05, "recap": 0.75}, SHARES)


def repeated(trace, times, folder):
    """The trace so many times, one after the other."""
    with open(trace, encoding="utf-8-sig", newline="") as file:
        head, *lines = file.read().splitlines()
    moment = lambda line: datetime.datetime.fromisoformat(line.split(",", 1)[0][:26])
    length = moment(lines[-1]) - moment(lines[0])
    path = os.path.join(folder, "repeated.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "\n")
        for i in range(times):
            for line in lines:
                at = moment(line) + i * length
                file.write("%s,%s\n" % (at.strftime("%Y-%m-%d %H:%M:%S.%f") + "0", line.split(",", 1)[1]))
    return path


def speed(args):
    rows = []

    def add(clouds, load, trace, text, options):
        runs = [replay(args.program, trace, ["troupe"], seed, text, options)["troupe"] for seed in args.seed_list]
        rows.append([clouds, load, runs[0]["offered"], spread([r["offered"] / r["wall_seconds"] / 1000 for r in runs], 0),
                     spread([r["offered"] / r["cpu_seconds"] / 1000 for r in runs], 0), spread([r["resident_mb"] for r in runs], 1)])

    open_ended = read(FAULT_CLOUDS)
    with tempfile.TemporaryDirectory() as folder:
        long = repeated(args.trace, 10, folder)
        add("four endpoints without limits", "1x", args.trace, open_ended, [])
        add("four endpoints without limits", "8x", args.trace, open_ended, ["--scale", "8"])
        add("four endpoints without limits", "8x, ten times as long", long, open_ended, ["--scale", "8"])
    for scale in (1, 8, 64):
        add("the demo clouds, sized to 1x", "%dx" % scale, args.trace, None, ["--scale", str(scale)])
    print_table("Speed and memory", ["clouds", "load", "requests", "thousand requests per second of wall clock", "of CPU", "resident MB"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("trace")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--plot")
    parser.add_argument("--only", default="healthy,faults,recovery,peak,hedge,curve,spill,money,isolation,overload,speed")
    args = parser.parse_args()
    args.seed_list = range(1, args.seeds + 1)
    parts = {"healthy": healthy, "faults": faults, "recovery": recovery, "peak": peak, "hedge": hedge, "curve": curve, "spill": spill,
             "money": money, "isolation": isolation, "overload": overload, "speed": speed}
    for part in args.only.split(","):
        parts[part](args)


if __name__ == "__main__":
    main()
