"""Detection delay against false trips as one SVG: a panel a fault, a line a family of thresholds, a dot a threshold."""
import html
import math

WIDTH, HEIGHT, LEFT, TOP, GAP = 420, 260, 52, 46, 64
COLOURS = {"chance": "#1f6fb2", "ratio": "#c2571a", "samples": "#3a8a4a"}
# Where "none seen" stands on an axis of logarithms, and its ends.
NONE, LEAST, MOST = 0.06, 0.04, 70.0
DELAY_LEAST, DELAY_MOST = 1.0, 600.0


def across(rate):
    place = math.log(max(rate, NONE) / LEAST) / math.log(MOST / LEAST)
    return LEFT + place * (WIDTH - LEFT - 12)


def down(seconds):
    place = math.log(min(max(seconds, DELAY_LEAST), DELAY_MOST) / DELAY_LEAST) / math.log(DELAY_MOST / DELAY_LEAST)
    return TOP + (1 - place) * (HEIGHT - TOP - 36)


def axes(out, title):
    out.append('<text x="%d" y="20" class="t">%s</text>' % (LEFT, html.escape(title)))
    for seconds in (1, 10, 60, 600):
        out.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="g"/>' % (LEFT, WIDTH - 12, down(seconds), down(seconds)))
        out.append('<text x="%d" y="%.1f" class="n" text-anchor="end">%d s</text>' % (LEFT - 6, down(seconds) + 4, seconds))
    for rate in (NONE, 0.25, 1, 5, 20, 50):
        out.append('<line y1="%d" y2="%d" x1="%.1f" x2="%.1f" class="g"/>' % (TOP, HEIGHT - 36, across(rate), across(rate)))
        name = "none" if rate == NONE else "%g" % rate
        out.append('<text x="%.1f" y="%d" class="n" text-anchor="middle">%s</text>' % (across(rate), HEIGHT - 20, name))
    out.append('<text x="%d" y="%d" class="n">false trips per endpoint-hour</text>' % (LEFT, HEIGHT - 4))


def family_line(out, family, points):
    # A threshold that never found the fault in some run has no place on the curve.
    known = [(label, rate, delay) for label, rate, delay in points if delay is not None]
    path = " ".join("%.1f,%.1f" % (across(rate), down(delay)) for _, rate, delay in known)
    out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>' % (path, COLOURS[family]))
    for label, rate, delay in known:
        told = html.escape("%s: %.2f false trips an hour, found after %.1f s" % (label, rate, delay))
        radius = 5 if "default" in label else 3
        out.append('<circle cx="%.1f" cy="%.1f" r="%d" fill="%s"><title>%s</title></circle>'
                   % (across(rate), down(delay), radius, COLOURS[family], told))


def curve_svg(faults, rows, hours):
    """`rows`: (label, false trips an hour, {fault: seconds or None}), labels beginning with their family's name."""
    columns = 2
    lines = -(-len(faults) // columns)
    whole = (columns * WIDTH, lines * (HEIGHT + GAP // 4) + GAP)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">' % (*whole, *whole),
           "<style>text{font-family:sans-serif;fill:#222}.t{font-size:14px;font-weight:600}.n{font-size:11px;fill:#555}"
           ".g{stroke:#ddd}</style>", '<rect width="100%" height="100%" fill="#fff"/>']
    for i, fault in enumerate(faults):
        out.append('<g transform="translate(%d,%d)">' % (i % columns * WIDTH, i // columns * (HEIGHT + GAP // 4)))
        axes(out, fault)
        for family in COLOURS:
            family_line(out, family, [(label, rate, delays[fault]) for label, rate, delays in rows if label.startswith(family)])
        out.append("</g>")
    foot = lines * (HEIGHT + GAP // 4)
    names = {"chance": "trip_chance_max from 1 to 1e-12", "ratio": "latency ratios from 1.3 to 5", "samples": "samples_min from 5 to 40"}
    for i, (family, name) in enumerate(names.items()):
        out.append('<circle cx="%d" cy="%d" r="4" fill="%s"/><text x="%d" y="%d" class="n">%s</text>'
                   % (LEFT + i * 270, foot + 14, COLOURS[family], LEFT + 10 + i * 270, foot + 18, name))
    out.append('<text x="%d" y="%d" class="n">Medians over seeds; the large dot is the default; "none" is none in %.0f '
               'endpoint-hours. Both axes are logarithmic.</text>' % (LEFT, foot + 42, hours))
    return "\n".join(out + ["</svg>"]) + "\n"
