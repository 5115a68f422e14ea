"""What the page says, from the verdict at the top to the provenance at its foot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from pintsize.report import figures, savings
from pintsize.report.loss import loss
from pintsize.report.markup import EMPTY, Markup, join, table, tag

#: the figures that stand large at the top, when they have a value
HEADLINES = ("flash_bytes", "ram_bytes", "latency_ms", "energy_mj", "drop")

KINDS = (
    "Measured: read from the program that ships, or seen while it ran. Counted: an exact count. "
    "Estimated: calculated from data-sheet figures."
)


def page(report: Mapping[str, Any], drawn: Set[str]) -> Iterator[Markup]:
    """The sections in order; `drawn` holds the ids of the charts that there is something to draw for."""
    yield _header(report)
    yield _section("Budget against measured", _figures(report), _note(KINDS))
    yield _section("Accuracy against flash", _picture("accuracy-against-flash", drawn), _candidates(report))
    if report.get("front"):
        yield _section("Trade-off", _picture("trade-off", drawn), savings.front(report))
    if report.get("refund", {}).get("steps"):
        yield _section("What each step saved", savings.steps(report))
    yield _section("Layers", _layers(report))
    yield _section("Memory over time", _memory_words(report), _picture("memory-over-time", drawn))
    yield _section("Cores verified", _cores_words(report), _cores(report))
    yield _section("Accuracy", _accuracy(report))
    if "explanation" in report:
        yield _section("Where the accuracy went", *loss(report["explanation"]))
    yield _section("Provenance", _provenance(report))


def _section(title: str, *content: Markup) -> Markup:
    return tag("section", tag("h2", title), *content)


def _note(words: str) -> Markup:
    return tag("p", words, class_="note")


def _picture(element: str, drawn: Set[str]) -> Markup:
    if element in drawn:
        return tag("div", class_="chart", id=element)
    return _note("There is nothing to draw.")


def _header(report: Mapping[str, Any]) -> Markup:
    device = report["device"]
    flash, ram = (figures.kilobytes(device[key]) for key in ("flash_bytes", "ram_bytes"))
    facts = f"{device['core']} at {figures.clock(device['clock_hz'])}, {flash} of flash, {ram} of RAM"
    verdict = ("Budget met", "verdict good") if report["met"] else ("Budget not met", "verdict bad")
    return tag(
        "header",
        tag("p", "pintsize report", class_="eyebrow"),
        tag("h1", report["name"]),
        tag("p", tag("span", verdict[0], class_=verdict[1])),
        tag("p", "For ", _link(device["title"], device["datasheet"]), f": {facts}.", class_="lead"),
        tag("div", *_headlines(report), class_="headlines"),
    )


def _link(text: str, address: str) -> Markup:
    if address.startswith(("https://", "http://")):
        return tag("a", text, href=address, rel="noreferrer")
    return join([text])


def _headlines(report: Mapping[str, Any]) -> Iterator[Markup]:
    by_name = {f["name"]: f for f in report["figures"]}
    for name in HEADLINES:
        figure = by_name.get(name)
        if figure is None or figure["value"] is None:
            continue
        unit = figures.unit(figure)
        allowed = (
            "no limit" if figure["limit"] is None else f"of {figures.amount(figure['limit'], unit)} allowed"
        )
        yield tag(
            "div",
            tag("span", figures.title(name), class_="label"),
            tag("strong", figures.amount(figure["value"], unit)),
            tag("span", allowed, class_="label"),
            _kind(figure["kind"]),
            class_="headline bad" if figure["met"] is False else "headline",
        )


def _kind(kind: str) -> Markup:
    return tag("span", kind, class_=f"kind {kind}")


def _figures(report: Mapping[str, Any]) -> Markup:
    heads = [("Figure", False), ("Allowed", True), ("Value", True), ("Kind", False), ("Of the limit", False)]
    return table([*heads, ("Result", False), ("How", False)], [_figure_row(f) for f in report["figures"]])


def _figure_row(figure: Mapping[str, Any]) -> list[str]:
    unit, value, limit = figures.unit(figure), figure["value"], figure["limit"]
    share = value / limit if limit and value is not None and value >= 0 else None
    return [
        tag("b", figures.title(figure["name"])),
        figures.amount(limit, unit),
        figures.amount(value, unit),
        _kind(figure["kind"]),
        _bar(share, over=figure["met"] is False),
        _result(figure["met"]),
        tag("span", figure["how"], class_="how"),
    ]


def _bar(share: float | None, over: bool = False) -> Markup:
    """A bar with its share written beside it; it ends at the full width."""
    if share is None:
        return join([figures.NONE])
    width = 100 * min(max(share, 0.0), 1.0)
    fill = tag("span", class_="fill over" if over else "fill", style=f"width:{width:.1f}%")
    return tag("span", tag("span", fill, class_="track"), figures.percent(share, 1), class_="bar")


def _result(met: bool | None) -> Markup:
    if met is None:
        return tag("span", figures.NONE, class_="quiet")
    return tag("span", "pass", class_="result good") if met else tag("span", "fail", class_="result bad")


def _candidates(report: Mapping[str, Any]) -> Markup:
    if not report["candidates"]:
        return EMPTY
    heads = [("Candidate", False), ("Width", True), ("Bits", True), ("Flash", True), ("RAM", True)]
    rows = [
        [
            tag("b", c["name"]) if c["status"] == "chosen" else c["name"],
            f"{c['width']:g}",
            str(c["bits"]),
            figures.size(c["flash_bytes"]),
            figures.size(c["ram_bytes"]),
            figures.size(c["weight_bytes"]),
            figures.percent(c["validation_accuracy"]),
            c["status"],
            tag("span", c["reason"], class_="how"),
        ]
        for c in report["candidates"]
    ]
    more = [("Weights", True), ("Accuracy", True), ("Status", False), ("Why", False)]
    summary = tag("summary", f"All {len(rows)} candidates as a table")
    return tag("details", summary, table(heads + more, rows))


def _layers(report: Mapping[str, Any]) -> Markup:
    layers = report["layers"]
    counted = all(layer["instructions"] is not None for layer in layers)
    cost, word = ("instructions", "instructions") if counted else ("macs", "MACs")
    total = sum(layer[cost] for layer in layers)
    heads = [("", True), ("Layer", False), ("Op", False), ("Input → output", False), ("MACs", True)]
    more = [("Weights", True), ("Bits", True), ("Instructions", True), (f"Share of {word}", False)]
    rows = [_layer_row(layer, layer[cost] / total if total else None) for layer in layers]
    return table(heads + more, rows)


def _layer_row(layer: Mapping[str, Any], share: float | None) -> list[str]:
    source = tag("span", layer["source"], class_="source") if layer["source"] else EMPTY
    return [
        str(layer["index"]),
        join([tag("b", layer["name"]), source]),
        layer["op"],
        f"{figures.shape(layer['input_shape'])} → {figures.shape(layer['output_shape'])}",
        figures.count(layer["macs"]),
        figures.size(layer["weight_bytes"]),
        figures.count(layer["bits"]),
        figures.count(layer["instructions"]),
        _bar(share),
    ]


def _memory_words(report: Mapping[str, Any]) -> Markup:
    memory = report["memory"]
    if memory["optimal"]:
        proof = "No smaller arena exists for these buffers."
    else:
        proof = f"No arena can be smaller than {figures.size(memory['lower_bound_bytes'])}."
    words = (
        f"{len(memory['buffers'])} buffers share an arena of {figures.size(memory['arena_bytes'])}. {proof}"
    )
    return tag("p", words)


def _cores_words(report: Mapping[str, Any]) -> Markup:
    checks = report["verification"]
    if not checks:
        return tag("p", "No core ran this artifact.")
    inputs, differing = (sum(c[key] for c in checks) for key in ("inputs", "mismatches"))
    if differing:
        words = f"{figures.count(differing)} integers differ from Python's: this artifact must not ship."
        return tag("p", words, class_="bad")
    return tag("p", f"{figures.count(inputs)} runs on {len(checks)} cores; every integer equals Python's.")


def _cores(report: Mapping[str, Any]) -> Markup:
    heads = [("Core", False), ("Run by", False), ("Inputs", True), ("Differing integers", True)]
    rows = [
        [
            tag("b", c["core"]),
            c["by"],
            figures.count(c["inputs"]),
            tag(
                "span",
                figures.count(c["mismatches"]),
                class_="result bad" if c["mismatches"] else "result good",
            ),
            figures.count(c["instructions"]),
            figures.size(c["flash_bytes"]),
            figures.size(c["stack_bytes"]),
        ]
        for c in report["verification"]
    ]
    return table([*heads, ("Instructions", True), ("Flash", True), ("Stack", True)], rows) if rows else EMPTY


def _accuracy(report: Mapping[str, Any]) -> Markup:
    heads = [("Split", False), ("Samples", True), ("Float teacher", True), ("Integers on chip", True)]
    rows = [
        [
            tag("b", a["split"]),
            figures.count(a["samples"]),
            figures.percent(a["teacher"]),
            figures.percent(a["integers"]),
            figures.points(_difference(a)),
            figures.percent(a["agreement"]),
        ]
        for a in report["accuracy"]
    ]
    if not rows:
        return _note("No accuracy was taken.")
    return table([*heads, ("Difference", True), ("Same answer as the teacher", True)], rows)


def _difference(accuracy: Mapping[str, Any]) -> float | None:
    teacher, integers = accuracy["teacher"], accuracy["integers"]
    return None if teacher is None or integers is None else integers - teacher


def _provenance(report: Mapping[str, Any]) -> Markup:
    origin = report["provenance"]
    facts = {
        "Command": tag("code", report["created_by"]),
        "Seed": str(report["seed"]),
        "Model": _hashed(origin["model"], origin["model_sha256"]),
        "Data": _hashed(origin["data"], origin["data_sha256"]),
        "pintsize": report["pintsize_version"],
        "Python": origin["python"],
        "PyTorch": origin["torch"],
        "NumPy": origin["numpy"],
        "Compiler": origin["compiler"],
    }
    pairs = (tag("dt", name) + tag("dd", value or figures.NONE) for name, value in facts.items())
    return tag("dl", *(Markup(p) for p in pairs))


def _hashed(name: str, sha256: str) -> Markup:
    return join([name or figures.NONE, tag("code", f"sha256 {sha256}", class_="hash") if sha256 else EMPTY])
