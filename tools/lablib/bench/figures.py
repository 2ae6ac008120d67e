"""What figures are: their units, and which way they are good. NAME, or NAME: WHAT for one that was found beside NAME."""

_UNITS_BESIDE = {"whole machine": "core-s/GB", "tunnel's processes": "core-s/GB", "loss": "%", "requests beside, p50": "ms",
                 "requests beside, p99": "ms", "p50": "ms", "p99": "ms"}


def through_wan(figure):
    return " ms" in figure


def unit(figure):
    name, _, tail = figure.partition(": ")
    if tail:
        return _UNITS_BESIDE.get(tail, "")
    if name.startswith("bulk"):
        return "Mbit/s" if through_wan(name) else "Gbit/s"
    return "us" if name.startswith("request-response") else "1/s"


def less_is_better(figure):
    return unit(figure) in ("us", "ms", "core-s/GB", "%") or figure.endswith("stood still")
