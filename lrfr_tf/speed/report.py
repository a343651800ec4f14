"""The document about speed, out of result files: what had to be reached, what was, and every row."""

from collections.abc import Sequence

from lrfr_tf.speed.peers import BFLOAT16, FACENET_PYTORCH, OURS
from lrfr_tf.speed.record import Row
from lrfr_tf.speed.targets import Result, Target, ratios, targets

TITLES = {
    "detect": "Detect",
    "embed": "Embed: Inception-ResNet-v1, 160 px",
    "super_resolve": "Super-resolve 16 to 64 px",
    "identify": "16 px probe to identity",
    "extract": "Crops to embeddings on disk",
    "start": "Cold start",
}


INTRODUCTION = """# Performance

Here you see how fast each step is, against other packages on the same machine; `make bench` measures it on yours.

Written by `tools/repository/write_performance.py` out of the result files of `make bench`; no figure is typed. Every
peer runs in a process of its own, on the same arrays and with the same weights, taking turns; what they compute is
compared before anything is timed. Times are milliseconds of one image, the median (and the minimum) over all calls; CPU
time is that of the whole process, with all its threads. Ratios within a run are the result: absolute times are those of
one machine. All rows: [performance.csv](performance.csv)."""


def document(results: dict[str, Result]) -> str:
    """The whole document, in Markdown."""
    first = next(iter(results.values()))
    machine = first["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in first["versions"].items() if number != "not installed")
    days = sorted({result["day"] for result in results.values()})
    busy = max(result["machine"]["load"] for result in results.values())
    measured_on = (
        f"{machine['processor']}, {machine['processors']} processors; {' to '.join(days)}; "
        f"{commits_of(results)}; the busiest benchmark ended at a load of {busy:.1f}. {versions}."
    )
    parts = [INTRODUCTION, measured_on, "## What had to be reached\n\n" + target_table(targets(results))]
    sections = {
        "detect": detect_notes,
        "embed": embed_notes,
        "super_resolve": super_resolve_notes,
        "extract": extract_notes,
        "start": start_notes,
    }
    for stage, title in TITLES.items():
        if stage in results:
            notes = sections.get(stage, lambda result: "")(results[stage])
            rows = row_table(results[stage]["rows"])
            parts.append("\n\n".join(part for part in (f"## {title}", rows, notes) if part))
    return "\n\n".join(parts) + "\n"


def commits_of(results: dict[str, Result]) -> str:
    """Of which commit the results are, and which, where stages were measured at different ones."""
    stages: dict[str, list[str]] = {}
    for stage, result in results.items():
        stages.setdefault(result["git_commit"][:12], []).append(stage)
    if len(stages) == 1:
        return f"commit `{next(iter(stages))}`"
    return "commits " + ", ".join(f"`{commit}` ({', '.join(names)})" for commit, names in stages.items())


def target_table(found: Sequence[Target]) -> str:
    words = {True: "yes", False: "**no**", None: "-"}
    lines = ["| stage | must | reached | held |", "| :-- | :-- | --: | :-: |"]
    lines += [f"| {target.stage} | {target.must} | {target.reached} | {words[target.held]} |" for target in found]
    return "\n".join(lines)


def row_table(rows: Sequence[Row]) -> str:
    """Every row; columns that say nothing in this stage are left out."""
    if not rows:
        return ""
    threads, faces = any(row.threads for row in rows), any(row.faces is not None for row in rows)
    titles = ["case", "peer", "batch", *["threads"] * threads, *["faces found"] * faces, "CPU ms", "wall ms"]
    lines = [f"| {' | '.join(titles)} |", f"| :-- | :-- |{' --: |' * (len(titles) - 2)}"]
    for row in rows:
        cells = [row.case, row.peer, str(row.batch), *[str(row.threads)] * threads, *[str(row.faces)] * faces]
        cells.append(f"{row.cpu_ms_median:.2f} ({row.cpu_ms_min:.2f})")
        cells.append(f"{row.wall_ms_median:.2f} ({row.wall_ms_min:.2f})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def detect_notes(result: Result) -> str:
    facts, lines = result["facts"], []
    for case, others in facts["same_faces"].items():
        for peer, counts in others.items():
            overlap = f", IoU {counts['mean_iou']:.3f} on average" if counts["both"] else ""
            both = f"{counts['both']} faces found by both{overlap}"
            own = f"ours finds {counts['ours']}, {peer} {counts['theirs']}"
            lines.append(f"- {case} (images: {facts['images'][case]}), {peer}: {both}; {own}.")
    peer_facts = facts["peers"].get(FACENET_PYTORCH)
    if peer_facts is None:
        lines.append("- facenet-pytorch was not installed; it is left out.")
    else:
        shares = peer_facts["share_of_suppression"].values()
        difference = peer_facts["largest_difference_of_weights"]
        lines.append(
            f"- facenet-pytorch {peer_facts['version']} runs on torch {peer_facts['torch']}, with a stand-in in NumPy "
            f"for the one function that it takes from torchvision; that took {min(shares):.0%} to {max(shares):.0%} of "
            f"its CPU time. Its sorted weights differ from ours by {difference:.2g} at most."
        )
    lines.append(_memory_line(facts["peak_memory_mb"]))
    return "\n".join(lines)


def embed_notes(result: Result) -> str:
    facts = result["facts"]
    lines = []
    for case, others in facts["same_embeddings"].items():
        for peer, found in others.items():
            if "smallest_cosine" in found:
                agreement = f"have a cosine of at least {found['smallest_cosine']:.5f} to ours in float32"
            else:
                agreement = f"differ from ours by {found['largest_difference']:.2g} at most"
            lines.append(f"- {case}: the embeddings of {peer} {agreement}.")
    lines.append(f"- Weights: {facts['weights']}. deepface's way is measured with one face, the only number it takes.")
    if "matrix_product_gflop_per_cpu_second" in facts:  # results of before had none
        lines.append(_share_of_matrix_product(result))
    if FACENET_PYTORCH in facts["peers"]:
        last = ratios(result["rows"], f"{FACENET_PYTORCH}, channels last", "cpu").values()
        lines.append(
            f"- {FACENET_PYTORCH} hands on its crops with the channels first. With the channels last, "
            f"which torch takes too, its network needs {min(last):.2f} to {max(last):.2f} times our CPU time."
        )
        rounded = ratios(result["rows"], FACENET_PYTORCH + BFLOAT16, "cpu", OURS + BFLOAT16).values()
        if rounded:
            lines.append(
                "- bfloat16 is ours exported with `--compute=bfloat16`, and theirs with the "
                "channels last in torch's automatic mixed precision: theirs needs "
                f"{min(rounded):.2f} to {max(rounded):.2f} times our CPU time then."
            )
    else:
        lines.append(f"- {FACENET_PYTORCH} was not installed; it is left out.")
    lines.append(_memory_line(facts["peak_memory_mb"]))
    for name, profile in facts["profile"].items():
        parts = ", ".join(f"{kind} {milliseconds:.1f}" for kind, milliseconds in profile.items())
        lines.append(
            f"- Where a call of {name} spends its CPU time, one thread, batch 1, in ms by oneDNN's log: {parts}."
        )
    return "\n".join(lines)


def _share_of_matrix_product(result: Result) -> str:
    """How much of what the machine can do in float32 ours and facenet-pytorch's network do, per CPU second."""
    facts = result["facts"]
    shares = []
    for row in result["rows"]:
        if row.peer in (OURS, FACENET_PYTORCH):
            product = facts["matrix_product_gflop_per_cpu_second"][str(row.threads)][row.case]
            share = facts["gflop_a_face"] * 1000 / row.cpu_ms_median / product
            shares.append(f"{row.peer} {share:.0%} ({row.case}, threads: {row.threads})")
    return (
        f"- A face is {facts['gflop_a_face']:.2f} GFLOP of convolutions. Of the rate at which TensorFlow multiplies "
        f"two large float32 matrices, per CPU second of the same turns: {', '.join(shares)}. Nothing in float32 can do "
        "more than 100 %."
    )


def super_resolve_notes(result: Result) -> str:
    facts, lines = result["facts"], []
    for row in result["rows"]:
        if row.peer == OURS:
            rate = facts["gflop_a_face"][row.case] * 1000 / row.wall_ms_median
            product = facts["matrix_product_gflop_per_second"][f"{row.case}, batch {row.batch}"]
            lines.append(
                f"- {row.case}, batch {row.batch}: {1000 / row.wall_ms_median:.0f} faces/s, {rate:.0f} GFLOP/s, "
                f"{rate / product:.0%} of a matrix product's rate in the same turns ({product:.0f} GFLOP/s)."
            )
    return "\n".join(lines)


def extract_notes(result: Result) -> str:
    facts = result["facts"]
    memory = ", ".join(f"{int(crops):,}: {size:.0f}" for crops, size in facts["memory_mb"].items())
    return f"{facts['crops']:,} crops of 160 x 160 by {facts['embedder']}. Resident memory in MB after crop {memory}."


def start_notes(result: Result) -> str:
    facts = result["facts"]
    lines = ["| step | seconds (least) |", "| :-- | --: |"]
    for step, seconds in facts["seconds_median"].items():
        lines.append(f"| {step} | {seconds:.2f} ({facts['seconds_min'][step]:.2f}) |")
    packages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in facts["import_seconds_by_package"].items())
    return "\n".join(lines) + (
        f"\n\nOne 16 px face through `{facts['model']}`, {facts['rounds']} new processes. Seconds of the imports, by "
        f"whose files they are (`python -X importtime`): {packages}."
    )


def _memory_line(peaks: dict[str, dict[str, float]]) -> str:
    threads, sizes = next(iter(peaks.items()))
    listed = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    return f"- Peak memory of each process in MB ({threads} thread{'s' * (threads != '1')}): {listed}."
