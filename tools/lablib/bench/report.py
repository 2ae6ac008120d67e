"""The results as text: a table of figures, a table of goals, and everything as JSON."""

from .figures import less_is_better, unit


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


def _ordered(figures):
    """Derived figures behind the one that they belong to; measures in their order."""
    names = list(figures)
    heads = [name for name in names if ": " not in name]
    return [name for head in heads for name in sorted(names, key=len) if name == head or name.startswith(head + ": ")]


def figure_table(figures, running):
    keys = [contender.key for contender in running]
    ours_by = [key for key in keys if key != "C"] if "C" in keys else []
    width = max(45, 2 + max(map(len, figures)))
    head = f"{'':<{width}}{'':<10}" + "".join(f"{key:>18}" for key in keys) + "".join(f"{'C/' + key:>8}" for key in ours_by)
    lines = [head]
    for name in _ordered(figures):
        figure = figures[name]
        cells = ""
        for key in keys:
            middle = figure.median(key)
            cells += f"{number(middle) + (f' ±{figure.spread(key):.0%}' if middle is not None else ''):>18}"
        ratios = "".join(f"{number(figure.ratio('C', key)):>8}" for key in ours_by)
        lines.append((f"{name:<{width}}{unit(name):<10}" + cells + ratios).rstrip())
    return "\n".join(lines)


def goal_table(goals):
    width = max(50, 2 + max((len(goal.what) for goal in goals), default=0))
    lines = [f"{'':<5}{'':<{width}}{'reached':>10}{'least':>8}{'want':>8}"]
    for goal in goals:
        bound = lambda value: "-" if value is None else f"{value:g}"
        lines.append(f"{goal.name:<5}{goal.what:<{width}}{number(goal.reached):>10}{bound(goal.least):>8}{bound(goal.want):>8}  "
                     f"{goal.unit + ', ' if goal.unit else ''}{goal.verdict()}")
    return "\n".join(lines)


def standing_table(standing, titles):
    lines = []
    for key, entry in standing.items():
        for end, values in entry.get("idle", {}).items():
            lines.append(f"{titles[key]}, idle, {end}: PSS {values['pss'] / 1e6:.1f} MB, anonymous {values['anonymous'] / 1e6:.1f} MB, "
                         f"{values['wake_ups_per_second']} wake-ups/s")
        for count, values in entry["flows"].items():
            ends = ", ".join(f"{end} PSS {values[end]['pss']} B, anonymous {values[end]['anonymous']} B" for end in ("laptop", "cluster"))
            lines.append(f"{titles[key]}, {count} idle flows, per flow: {ends}; {values['cores']:.1%} of a core")
        for parallel, run in entry["long"].items():
            lines.append(f"{titles[key]}, new connections/s, {parallel} at once, for {run['seconds']} s: {run['per_second']:,.0f}; "
                         f"last third by first {run['last_by_first']:.2f}")
        if "beside_idle" in entry:
            beside = entry["beside_idle"]
            lines.append(f"{titles[key]}, new connections/s: {beside['empty']:,.0f}, beside idle flows {beside['with_idle_flows']:,.0f}")
        lines += [f"{titles[key]}, {failure}" for failure in entry["failed"]]
    return "\n".join(lines)


def as_json(told, rounds, standing, goals):
    return {"about": told,
            "figures": {name: {"unit": unit(name), "less_is_better": less_is_better(name), "rounds": figure.rounds,
                               "median": {key: figure.median(key) for key in figure.rounds}}
                        for name, figure in ((name, rounds.figures[name]) for name in _ordered(rounds.figures))},
            "standing": standing, "failures": rounds.failures,
            "goals": [{"goal": goal.name, "what": goal.what, "reached": goal.reached, "least": goal.least, "want": goal.want,
                       "unit": goal.unit, "more_is_better": goal.more_is_better, "verdict": goal.verdict()} for goal in goals]}
