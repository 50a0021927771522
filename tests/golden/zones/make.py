#!/usr/bin/env python3
"""Writes offsets.txt: what Python's zoneinfo says of offsets around every change, 2020 to 2039.

One line a moment: ZONE SECONDS OFFSET. Moments are the second before each change and the change itself, and the first of
each year. Zones were chosen for their laws: north and south, half and quarter hours, a change of 30 minutes, Ramadan,
midnight changes, a negative daylight saving, none at all.
"""
import datetime
import pathlib
import sys
import zoneinfo

ZONES = ["Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles", "America/St_Johns",
         "America/Santiago", "America/Sao_Paulo", "Australia/Lord_Howe", "Australia/Sydney", "Asia/Kolkata", "Asia/Kathmandu",
         "Asia/Tokyo", "Africa/Casablanca", "Africa/Cairo", "Pacific/Chatham", "Pacific/Apia", "America/Nuuk", "Etc/GMT+12"]
UTC = datetime.timezone.utc


def offset(zone, moment):
    return int(datetime.datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset().total_seconds())


def moments(zone, begin, end):
    """The first second of each year, and each change with the second before it."""
    step = 6 * 3600
    for low in range(begin, end, step):
        high = low + step
        if datetime.datetime.fromtimestamp(low, UTC).strftime("%j%H") == "00100":
            yield low
        if offset(zone, low) == offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(zone, low) == offset(zone, middle) else (low, middle)
        yield low
        yield high


def main():
    begin, end = (int(datetime.datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2040))
    out = []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        out += [f"{name} {moment} {offset(zone, moment)}" for moment in moments(zone, begin, end)]
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("offsets.txt"))
    path.write_text("\n".join(out) + "\n")


main()
