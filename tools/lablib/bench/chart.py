"""One SVG for a person: per figure a bar for each tunnel, measured by two plain relays (by the direct connection where those take no part).
Longer is better everywhere: where less is better, the relays' figure is divided by the contender's."""

from xml.sax.saxutils import escape

from .figures import less_is_better
from .report import number
from .wan_measures import PATHS, figure as wan_figure

COLOURS = {"P": "#8a8f98", "W": "#c9853b", "C": "#2a6fb0"}
MOST = 4.0  # a longer bar is cut, its number stays
SHOWN = ("bulk up, 1 flow", "bulk down, 1 flow", "bulk up, 8 flows", "bulk down, 8 flows", "bulk up, 512 flows", "bulk down, 512 flows",
         "request-response, p50", "request-response, p99", "request-response beside bulk, p50", "request-response beside bulk, p99",
         "new connections, 1 at once", "new connections, 64 at once", "HTTP requests, 16 connections",
         "HTTP requests, 256 connections", "bulk up, 1 flow: whole machine", "bulk down, 1 flow: whole machine",
         *(wan_figure(path, way) for path in PATHS for way in ("up", "down")),
         *(wan_figure(path, way, "p50") for path in PATHS for way in ("up", "down")))
LEFT, WIDTH, RIGHT, BAR, GAP, TOP = 380, 520, 110, 13, 14, 92


def _share(figure, name, key, by):
    """(median, least, most) of contender by the one that is the measure; turned round where less is better."""
    middle, each = figure.ratio(key, by), figure.ratios(key, by)
    if middle is None or not each or not all(each) or not middle:
        return None
    if less_is_better(name):
        middle, each = 1 / middle, [1 / value for value in each]
    return middle, min(each), max(each)


class Chart:
    def __init__(self, figures, running, notes):
        self._by = next((contender for contender in running if contender.key == "P"), running[0])
        self._otherwise = running[0]
        self._shown = [contender for contender in running if contender.key in COLOURS and contender is not self._by]
        self._rows = [(name, self._bars(name, figures[name])) for name in SHOWN if name in figures]
        self._rows = [(name, bars) for name, bars in self._rows if any(share for _, share in bars)]
        most = max((share[0] for _, bars in self._rows for _, share in bars if share), default=1)
        self._scale = WIDTH / min(MOST, max(1.0, most * 1.05))
        self._notes = notes
        self._parts = []

    def _bars(self, name, figure):
        by = self._by if figure.values(self._by.key) else self._otherwise
        return [(contender.key, _share(figure, name, contender.key, by.key)) for contender in self._shown if contender is not by]

    def _text(self, x, y, text, size=12, anchor="start", colour="#222"):
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>')

    def _line(self, x1, y1, x2, y2, colour="#222", more=""):
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>')

    def _bar(self, y, key, share):
        if share is None:
            self._text(LEFT + 4, y + BAR - 3, f"{key}: not measured", 10, colour="#999")
            return
        middle, least, most = share
        low, end, high = (LEFT + min(value * self._scale, WIDTH) for value in (least, middle, most))
        self._parts.append(f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR - 2}" fill="{COLOURS[key]}"/>')
        centre = y + (BAR - 2) / 2
        self._line(low, centre, high, centre)
        for x in (low, high):
            self._line(x, centre - 3, x, centre + 3)
        self._text(max(end, high) + 5, y + BAR - 3, number(middle), 10)

    def svg(self):
        y = TOP
        bottom = TOP + sum(len(bars) * BAR + GAP for _, bars in self._rows)
        self._text(16, 26, "Causeway beside other ways into the same namespaces", 17)
        self._text(16, 45, f"measured by {self._by.title} = 1, through a wide-area path (ms) by {self._otherwise.title} = 1; longer is better, "
                           "turned round where less is; lines: least and most of the rounds", 11, colour="#555")
        x = 16
        for contender in self._shown:
            self._parts.append(f'<rect x="{x}" y="57" width="12" height="12" fill="{COLOURS[contender.key]}"/>')
            self._text(x + 17, 67, f"{contender.key}: {contender.title}", 12)
            x += 40 + 7 * len(contender.title) + 20
        step = 0.1 if WIDTH / self._scale <= 1.5 else 0.25 if WIDTH / self._scale <= 3 else 1.0
        mark = 0.0
        while mark * self._scale <= WIDTH + 0.1:
            at = LEFT + mark * self._scale
            self._line(at, TOP - 8, at, bottom, "#222" if abs(mark - 1) < 1e-6 else "#e3e3e3", 'stroke-width="1"')
            self._text(at, bottom + 14, f"{mark:.2f}".rstrip("0").rstrip("."), 10, "middle", "#555")
            mark += step
        for name, bars in self._rows:
            self._text(LEFT - 10, y + len(bars) * BAR / 2 + 3, name, 12, "end")
            for key, share in bars:
                self._bar(y, key, share)
                y += BAR
            y += GAP
        for index, note in enumerate(self._notes):
            self._text(16, bottom + 36 + 15 * index, note, 10, colour="#555")
        height, width = bottom + 44 + 15 * len(self._notes), LEFT + WIDTH + RIGHT
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
                f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(self._parts) + "\n</svg>\n")
