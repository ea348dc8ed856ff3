"""The part of `compare-peers` that runs the contestants in turn and prints the table."""

import argparse
import csv
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
WORKER = HERE / "compare_peers_worker.py"
LIMIT = 1800  # seconds after which a silent contestant is given up
INFERENCE = ["TensorFlow", "Keras", "PyTorch", "onnxruntime", "OpenVINO", "ncnn"]
HALF = ["PyTorch bf16", "OpenVINO bf16"]
RESNET = ["TensorFlow", "Keras", "PyTorch", "onnxruntime", "OpenVINO"]


@dataclasses.dataclass
class Effort:
    """How much of everything is measured."""
    rounds: int  # of what takes seconds
    runs: int  # of what takes minutes
    features: int  # photos from files
    epochs: int  # of the head
    steps: int  # of fine-tuning in a round
    tuned: int  # photos
    linear: tuple  # photos
    batch: dict  # photos at once, by size


FULL = Effort(7, 3, 2000, 30, 5, 800, (500, 2000, 8000), {150: 20, 224: 16})
QUICK = Effort(2, 1, 300, 6, 1, 200, (200, 400, 800), {150: 20, 224: 8})


class Failed(Exception):
    """A contestant that cannot take part, and why."""


@dataclasses.dataclass
class Line:
    """One contestant in one row of the table."""
    row: str
    peer: str
    unit: str
    values: list = dataclasses.field(default_factory=list)
    note: str = ""
    ratio: float | None = None

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def is_half(self):
        return self.peer.endswith(" bf16")

    @property
    def is_ours(self):
        return self.peer.startswith("tl")


@dataclasses.dataclass
class Finished:
    """A process that has ended: seconds, peak memory in MB, output, stderr lines with times."""
    seconds: float
    megabytes: float
    output: str
    errors: list


def run(command, name):
    """Runs a program to its end. Throws `Failed` if it fails.

    The kernel counts the parent's pages at the fork to the child's peak too, so this file imports
    nothing large.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    errors = []

    def listen():
        for line in process.stderr:
            errors.append((time.perf_counter() - begin, line.rstrip()))

    listener = threading.Thread(target=listen)
    listener.start()
    output = process.stdout.read()
    listener.join()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(reason_of(output, errors, f"{name} ended with {process.returncode}"))
    return Finished(seconds, usage.ru_maxrss / 1024, output, errors)


def reason_of(output, errors, otherwise):
    """The error that a worker or a program gave."""
    for line in output.splitlines():
        if line.startswith('{"error"'):
            return json.loads(line)["error"]
    said = [line for _, line in errors if line]
    return said[-1][:200] if said else otherwise


class Worker:
    """A peer in a process of its own, which works when told to."""

    def __init__(self, bench, job, peer, options):
        self.peer, self.log = peer, tempfile.TemporaryFile("w+")
        self.processor = []  # CPU seconds of each round
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            bench.worker(job, peer, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True)
        self.note = self.answer()["note"]
        self.startup = time.perf_counter() - begin

    def answer(self):
        timer = threading.Timer(LIMIT, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            self.process.wait()
            self.log.seek(0)
            said = [text for text in self.log.read().splitlines() if text.strip()]
            raise Failed(said[-1][:200] if said else f"ended with {self.process.returncode}")
        answer = json.loads(line)
        if "error" in answer:
            self.process.wait()
            raise Failed(answer["error"])
        return answer

    def measure(self):
        """Seconds of one round."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.processor.append(answer.get("processor", 0))
        return answer["seconds"]

    def close(self):
        """Ends the process and returns its peak memory in MB."""
        if self.process.returncode is not None:
            return 0
        self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdout.close()
        return usage.ru_maxrss / 1024


class Bench:
    """What all rows share: programs, photos, effort, and files made on the way."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.effort = QUICK if options.quick else FULL
        self.tl, self.tl_bench = options.tools / "tl", options.tools / "tl-bench"
        self.photos = list_photos(options.data)
        self.lines = []
        self.versions = json.loads(run(self.worker("versions", "-", {}), "python").output)

    def worker(self, job, peer, options):
        words = {key: str(value) if isinstance(value, pathlib.Path) else value
                 for key, value in options.items()}
        return [sys.executable, str(WORKER), job, peer, json.dumps(words)]

    def some(self, count):
        """Paths of `count` photos, of all classes alike, again from the first if need be."""
        classes = list(self.photos.values())
        chosen = []
        for number in range(count):
            paths = classes[number % len(classes)]
            chosen.append(paths[number // len(classes) % len(paths)])
        return chosen

    def listing(self, count):
        """A folder of symbolic links to `count` photos, in class folders."""
        folder = self.folder / f"photos-{count}"
        if not folder.exists():
            for number, path in enumerate(self.some(count)):
                target = folder / path.parent.name
                target.mkdir(parents=True, exist_ok=True)
                (target / f"{number:05}{path.suffix}").symlink_to(path)
        return folder

    def peer_options(self, size, count, **more):
        return {
            "size": size, "base": self.options.base.resolve(),
            "resnet50": self.folder / "resnet50.h5", "photos": [str(path) for path in self.some(count)], **more}

    def extract(self, count, output=None):
        """Ours: features of `count` photos, from nothing."""
        output = output or self.folder / f"features-{count}.h5"
        output.unlink(missing_ok=True)
        return run([
            self.tl, "extract-features", self.listing(count), "--base", self.options.base,
            "--preprocess", "caffe", "--image-size", 150, "--output", output], "tl")

    def features(self, count):
        """A feature file of so many rows, some of them repeated."""
        path = self.folder / f"features-{count}.h5"
        source = self.folder / "features-100.h5"
        if not source.exists():
            self.extract(100)
        if not path.exists():
            run(self.worker("prepare", "tile", {"source": source, "target": path, "rows": count}),
                "python")
        return path

    def model(self):
        """A model of ours with a trained head."""
        path = self.folder / "model.h5"
        if not path.exists():
            run([self.tl, "train-head", self.features(100), "--epochs", 1, "--output", path,
                 "--run", self.run_folder()], "tl")
        return path

    def run_folder(self):
        """Where one training of ours keeps its run."""
        folder = self.folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def resnet50(self):
        """A ResNet50 with made-up weights, on which speed does not depend, written by Keras."""
        path = self.folder / "resnet50.h5"
        if not path.exists():
            run(self.worker("prepare", "resnet50", {"target": path}), "python")
        return path

    def agreement(self, job, size, stems):
        """What there is to say of the peers' features next to TensorFlow's, by peer."""
        results = {"TensorFlow": f"{self.folder / job}-TensorFlow-{size}.npy"}
        # PyTorch's ResNet50, which the engines run too, has weights of its own.
        results |= {
            name: f"{stem}.npy" for name, stem in stems.items()
            if job == "vgg16" or name == "Keras"}
        return json.loads(run(
            self.worker("prepare", "agreement", {"results": results}), "python").output)

    def add(self, row, peer, unit, values, note=""):
        self.lines.append(Line(row, peer, unit, values, note))

    def missing(self, row, peer, reason):
        package = peer.removesuffix(" bf16").removesuffix(", augmenting")
        if package not in self.versions and not peer.startswith("tl"):
            reason = f"{package} is not installed ({reason})"
        self.add(row, peer, "", [], f"missing: {reason}")

    def tell(self, text):
        print(f"[{time.strftime('%H:%M:%S')}, load {os.getloadavg()[0]:.1f}] {text}",
              file=sys.stderr, flush=True)


def list_photos(folder):
    """The photos of every class folder, by class."""
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    photos = {
        name: sorted(p.resolve() for p in name.iterdir()
                     if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        for name in classes
    }
    return {name.name: paths for name, paths in photos.items() if paths}


def alternate(bench, row, peers, ours, rounds):
    """Measures ours and every peer once in each round.

    `peers` is a list of (name, make); `make()` returns a `Worker`. `ours` is a list of (name,
    measure). Returns {name: (values, note)} without those that failed, which are in the table.
    """
    running, values, notes = [], {}, {}
    for name, make in peers:
        try:
            bench.tell(f"{row}: starting {name}")
            worker = make()
            running.append((name, worker.measure))
            notes[name] = worker
        except (Failed, OSError) as failure:
            bench.missing(row, name, failure)
    contestants = list(ours) + running
    for number in range(rounds):
        bench.tell(f"{row}: round {number + 1} of {rounds}")
        for name, measure in list(contestants):
            try:
                values.setdefault(name, []).append(measure())
            except (Failed, OSError) as failure:
                bench.missing(row, name, failure)
                contestants = [entry for entry in contestants if entry[0] != name]
                values.pop(name, None)
    for worker in notes.values():
        worker.close()
    return {
        name: (found, notes[name].note if name in notes else "") for name, found in values.items()}


def tl_seconds(bench, base, size, precision):
    """Seconds of a batch of ours: the first after the warm-up."""
    output = run([
        bench.tl, "bench", "--base", base, "--image-size", size, "--batch-size",
        bench.effort.batch[size], "--rounds", 1, "--precision", precision], "tl bench").output
    found = re.search(r"([\d.]+) ms a batch", output)
    if not found:
        raise Failed(f"no time in the output of tl bench: {output.splitlines()[-1:]}")
    return float(found[1]) / 1000


def base_row(bench, job, row, base, size, precision, names):
    """`job` is the workers' name for the network, `base` the file that ours reads."""
    batch = bench.effort.batch[size]
    row = f"{row}, {size} px, batch {batch}, {precision}"
    options = bench.peer_options(size, batch)
    stems = {name: bench.folder / f"{job}-{name.replace(' ', '-')}-{size}" for name in names}

    def make(name):
        return lambda: Worker(bench, job, name, {
            **options, "scratch": stems[name], "result": f"{stems[name]}.npy"})

    ours = "tl bf16" if precision == "bf16" else "tl"
    found = alternate(
        bench, row, [(name, make(name)) for name in names],
        [(ours, lambda: tl_seconds(bench, base, size, precision))], bench.effort.rounds)
    agreement = bench.agreement(job, size, stems)
    for name, (times, note) in found.items():
        note = "; ".join(text for text in (note, agreement.get(name)) if text)
        bench.add(row, name, "photos/s", [batch / seconds for seconds in times], note)


def vgg16_row(size, precision, names):
    return lambda bench: base_row(
        bench, "vgg16", "VGG16 base", bench.options.base, size, precision, names)


def resnet_row(size, precision, names):
    return lambda bench: base_row(
        bench, "resnet50", "ResNet50 base", bench.resnet50(), size, precision, names)


def features(bench):
    """Whole runs from files to features: time, and the peak of memory."""
    count, ours, theirs = bench.effort.features, [], []
    row = f"features of {count} photos from files"
    for number in range(bench.effort.runs):
        bench.tell(f"{row}: round {number + 1} of {bench.effort.runs}")
        ours.append(bench.extract(count))
        try:
            worker = Worker(bench, "features", "Keras", bench.peer_options(150, count))
            seconds = worker.measure()
            theirs.append((seconds, seconds + worker.startup, worker.close()))
        except (Failed, OSError) as failure:
            bench.missing(row, "Keras", failure)
            break
    bench.add(row, "tl", "s", [run.seconds for run in ours], "whole process")
    if theirs:
        bench.add(row, "Keras", "s", [times[0] for times in theirs],
                  "in a running process, batches of 20")
        bench.add(row, "Keras, imports counted", "s", [times[1] for times in theirs])
    bench.add(row + ", memory", "tl", "MB", [run.megabytes for run in ours])
    if theirs:
        bench.add(row + ", memory", "Keras", "MB", [times[2] for times in theirs])


def head(bench):
    path, epochs = bench.features(2000), bench.effort.epochs
    row = f"head, 2000 x 8192, {epochs} epochs"
    options = {"features": path, "epochs": epochs}

    def ours():
        return run([bench.tl, "train-head", path, "--epochs", epochs, "--run",
                    bench.run_folder()], "tl").seconds

    peers = [(name, lambda name=name: Worker(bench, "head", name, dict(options)))
             for name in ("Keras", "PyTorch")]
    for name, (times, note) in alternate(
            bench, row, peers, [("tl", ours)], bench.effort.runs).items():
        note = "whole process, with reading and writing" if name == "tl" else note
        if bench.options.quick:
            scaled = " ".join(f"x5 for 30 epochs: {5 * statistics.median(times):.0f} s".split())
            note = f"{note}; {scaled}" if note else scaled
        bench.add(row, name, "s", times, note)


def epoch_seconds(bench, words):
    """Seconds of an epoch of ours after the first."""
    finished = run([
        bench.tl, "fine-tune", bench.listing(bench.effort.tuned), "--model", bench.model(),
        "--unfreeze", "block5", "--epochs", 3, "--run", bench.run_folder()] + words, "tl")
    ends = [when for when, line in finished.errors if re.match(r"epoch \d+ of", line)]
    if len(ends) != 3:
        raise Failed(f"3 epochs expected in the output of tl fine-tune, found {len(ends)}")
    return statistics.median([ends[1] - ends[0], ends[2] - ends[1]])


AUGMENTING = "Keras, augmenting"


def is_augmented(end):
    return end == ", with augmentation"


def takes_part(peer, end):
    """Whether a peer stands in the row: Keras changes photos where tl does."""
    return peer not in ("Keras", AUGMENTING) or (peer == AUGMENTING) == is_augmented(end)


def tune_rows(bench, row, cached, ours):
    """Peers against each of `ours`, (row's end, who, words, note), which share the peers' times."""
    effort, batch = bench.effort, bench.effort.batch[150]
    options = bench.peer_options(150, batch, cached=cached, steps=effort.steps)
    names = ["Keras", "PyTorch", "PyTorch bf16"]
    if any(is_augmented(end) for end, *_ in ours):
        names.append(AUGMENTING)
    peers = [(name, lambda name=name: Worker(bench, "tune", name, dict(options)))
             for name in names]
    measured = {who + end: (end, who, note) for end, who, _, note in ours}
    found = alternate(
        bench, row, peers,
        [(who + end, lambda words=words: epoch_seconds(bench, words))
         for end, who, words, _ in ours], effort.runs)
    # What failed stands in the table under the common name: it belongs to each of the rows.
    failed = [line for line in bench.lines if line.row == row]
    bench.lines = [line for line in bench.lines if line.row != row]
    for line in failed:
        if line.peer in measured:
            end, who, _ = measured[line.peer]
            bench.lines.append(dataclasses.replace(line, row=row + end, peer=who))
        else:
            bench.lines += [dataclasses.replace(line, row=row + end)
                            for end in dict.fromkeys(end for end, *_ in ours)
                            if takes_part(line.peer, end)]
    for end in dict.fromkeys(end for end, *_ in ours):
        for name, (times, note) in found.items():
            if name not in measured and takes_part(name, end):
                photos = batch * effort.steps
                bench.add(row + end, name, "photos/s", [photos / t for t in times], note)
            elif name in measured and measured[name][0] == end:
                bench.add(row + end, measured[name][1], "photos/s",
                          [effort.tuned / t for t in times], measured[name][2])


def photos_row(bench, row, peer, interpolation):
    """Photos from files to numbers with random changes, ours and one peer's in turn.

    The note says what CPU time a photo takes, which other work on the machine disturbs less.
    """
    count, spent = bench.effort.features, []
    folder = bench.listing(count)

    def ours():
        output = run([
            bench.tl_bench, "photos", "--data", folder, "--rounds", 1, "--interpolation",
            interpolation], "tl-bench").output
        found = re.search(r"([\d.]+) photos/s, ([\d.]+) CPU ms", output)
        if not found:
            raise Failed(f"no speed in the output of tl-bench: {output.splitlines()[-1:]}")
        spent.append(float(found[2]))
        return count / float(found[1])

    workers = []

    def theirs():
        workers.append(Worker(
            bench, "photos", peer, bench.peer_options(150, count, folder=str(folder))))
        return workers[-1]

    found = alternate(bench, row, [(peer, theirs)], [("tl", ours)], max(bench.effort.rounds, 3))
    for name, (times, note) in found.items():
        each = statistics.median(
            spent if name == "tl" else [1000 * s / count for s in workers[-1].processor])
        note = "; ".join(text for text in (note, f"{each:.2f} ms of CPU a photo") if text)
        bench.add(row, name, "photos/s", [count / seconds for seconds in times], note)


def photos(bench):
    photos_row(bench, "photos with the book's changes, 150 px, nearest", "Keras", "nearest")
    photos_row(bench, "photos with the book's changes, 150 px, bilinear", "torchvision", "bilinear")


def tune(bench):
    changed = "an epoch with --augment book, decoding included; PyTorch's photos stay unchanged"
    tune_rows(bench, "fine-tune block5", False, [
        (", with augmentation", "tl", ["--augment", "book"], changed),
        (", with augmentation", "tl bf16", ["--augment", "book", "--precision", "bf16"], changed),
        (", second epoch on", "tl", [],
         "block4_pool kept by tl; the peers run all layers"),
    ])


def tune_by_hand(bench):
    tune_rows(bench, "fine-tune block5", True, [
        (", block4_pool cached by hand", "tl", [], "the peers too get block4_pool ready made")])


def one_photo(bench):
    row, model = "one photo from process start", bench.model()
    state = bench.folder / "model.pt"
    photo = bench.some(1)[0]
    commands = {"tl": [bench.tl, "predict", photo, "--model", model]}
    common = bench.peer_options(150, 1, model=model, state=state)
    for name in ("Keras", "PyTorch"):
        commands[name] = bench.worker("photo", name, common)
    try:
        run(bench.worker("prepare", "state", common), "python")
    except Failed as failure:
        bench.missing(row, "PyTorch", failure)
        del commands["PyTorch"]
    found = {}
    for number in range(bench.effort.runs * 2):
        bench.tell(f"{row}: round {number + 1} of {bench.effort.runs * 2}")
        for name, command in list(commands.items()):
            try:
                found.setdefault(name, []).append(run(command, name))
            except Failed as failure:
                bench.missing(row, name, failure)
                del commands[name]
    for name, runs in found.items():
        bench.add(row, name, "s", [run.seconds for run in runs])
    for name, runs in found.items():
        bench.add(row + ", memory", name, "MB", [run.megabytes for run in runs])


def heatmaps(bench):
    """Grad-CAM of 100 photos from files, as numbers and as pictures over the photos."""
    count, model = 100, bench.model()
    for name, words in (("numbers", ["--raw", bench.folder / "maps.h5"]),
                        ("pictures", ["--output", bench.folder / "maps"])):
        row = f"Grad-CAM of {count} photos, VGG16, 150 px, {name}"
        options = bench.peer_options(150, count, model=model)
        if name == "pictures":
            options["pictures"] = bench.folder / "their-maps"
            options["pictures"].mkdir(exist_ok=True)

        def ours(words=words):
            return run([bench.tl, "show", "heatmap", bench.listing(count), "--model", model,
                        *words], "tl").seconds

        found = alternate(
            bench, row,
            [("Keras", lambda options=options: Worker(bench, "heatmaps", "Keras", options))],
            [("tl", ours)], bench.effort.rounds)
        for who, (times, note) in found.items():
            bench.add(row, who, "s", times,
                      "whole process" if who == "tl" else f"GradientTape, {note}")
    row = f"Grad-CAM of {count} photos, VGG16, 150 px, process start to numbers"
    commands = {
        "tl": [bench.tl, "show", "heatmap", bench.listing(count), "--model", model, "--raw",
               bench.folder / "maps.h5"],
        "Keras": bench.worker("heatmaps-once", "Keras", bench.peer_options(
            150, count, model=model, result=bench.folder / "maps.npy")),
    }
    found = {name: [] for name in commands}
    for number in range(bench.effort.rounds):
        bench.tell(f"{row}: round {number + 1} of {bench.effort.rounds}")
        for name, command in commands.items():
            found[name].append(run(command, name).seconds)
    for name, times in found.items():
        bench.add(row, name, "s", times, "" if name == "tl" else "GradientTape, batches of 20")


def linear(bench):
    for count in bench.effort.linear:
        bench.tell(f"linear: {count} photos")
        runs = [bench.extract(count, bench.folder / "linear.h5")
                for _ in range(1 if count > 2000 or bench.options.quick else 2)]
        seconds = [run.seconds for run in runs]
        bench.add(f"linear: {count} photos", "tl", "s", seconds,
                  f"{count / statistics.median(seconds):.1f} photos/s")
        bench.add(f"linear: {count} photos, memory", "tl", "MB",
                  [run.megabytes for run in runs])


ROWS = {
    "base-150": vgg16_row(150, "f32", INFERENCE), "base-224": vgg16_row(224, "f32", INFERENCE),
    "bf16-150": vgg16_row(150, "bf16", HALF), "bf16-224": vgg16_row(224, "bf16", HALF),
    "resnet-150": resnet_row(150, "f32", RESNET), "resnet-224": resnet_row(224, "f32", RESNET),
    "resnet-bf16-150": resnet_row(150, "bf16", HALF),
    "resnet-bf16-224": resnet_row(224, "bf16", HALF),
    "features": features, "photos": photos, "head": head, "tune": tune, "tune-by-hand": tune_by_hand,
    "one-photo": one_photo, "heatmaps": heatmaps, "linear": linear,
}
NOT_QUICK = ["base-224", "bf16-224", "resnet-224", "resnet-bf16-224", "photos", "tune-by-hand",
             "heatmaps", "linear"]


def compare(lines):
    """Sets every line's ratio to the best peer of its row and precision: above 1 is better."""
    for line in lines:
        rivals = [other.median for other in lines if other.row == line.row and other.values
                  and not other.is_ours and other.is_half == line.is_half]
        if line.values and rivals:
            more = line.unit == "photos/s"
            best = max(rivals) if more else min(rivals)
            line.ratio = line.median / best if more else best / line.median


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(line):
    if not line.values:
        return [line.row, line.peer, line.note if line.note == "-" else "", "", "", "", "",
                line.note]
    spread = f"{number(min(line.values))} - {number(max(line.values))}"
    ratio = f"{line.ratio:.2f}x" if line.ratio else ""
    return [line.row, line.peer, number(line.median), line.unit, spread, str(len(line.values)),
            ratio, line.note]


def table(lines):
    """The lines as aligned text, a row's name only once."""
    rows = [["row", "who", "median", "unit", "spread", "n", "to best peer", ""]]
    order = list(dict.fromkeys(line.row for line in lines))
    # Ours first, those that are missing last, and the rest as they were measured.
    lines = sorted(lines, key=lambda line: (
        order.index(line.row), not line.is_ours, not line.values))
    rows += [cells(line) for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    text, last = [], None
    for row in rows:
        name = "" if row[0] == last else row[0]
        last = row[0]
        shown = [name] + row[1:]
        text.append("  ".join(
            cell.rjust(width) if i in (2, 4, 5, 6) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(shown, widths))) + "  " + row[7])
    return "\n".join(line.rstrip() for line in text)


def machine(bench):
    """The lines above the table: what everything was measured on."""
    model = "unknown CPU"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    header = run([bench.tl_bench, "vgg16", "--size", 32, "--batch", 1, "--rounds", 1],
                 "tl-bench").output.splitlines()[0]
    if os.getloadavg()[0] > 0.5:
        bench.tell("other work runs on this machine: the figures will be noisy")
    removed = os.environ.get("TL_REMOVED_VARIABLES", "")
    return [
        f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        f"tl: {header.split(';')[-1].strip()}; every peer: {threads()} threads",
        "peers: " + ", ".join(
            f"{peer} {bench.versions[peer]}" if peer in bench.versions else f"{peer} missing"
            for peer in INFERENCE),
        f"unset for all: {removed or 'nothing (OPENBLAS_CORETYPE was not set)'}",
    ]


def threads():
    return int(os.environ["TL_THREADS"])


def write_csv(path, lines, header):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "who", "unit", "median", "least", "most", "rounds",
                         "to best peer", "note", "machine"])
        for line in lines:
            numbers = [f"{f(line.values):.5g}" for f in (statistics.median, min, max)] \
                if line.values else ["", "", ""]
            writer.writerow([line.row, line.peer, line.unit, *numbers, len(line.values),
                             f"{line.ratio:.3f}" if line.ratio else "", line.note,
                             "; ".join(header)])


def arguments():
    shared = pathlib.Path(os.environ.get("TL_SHARED") or HERE.parent.parent / "shared")
    parser = argparse.ArgumentParser(
        prog="compare-peers", description="Compare tl's speed and memory with its peers'.")
    parser.add_argument("--quick", action="store_true",
                        help="take less than five minutes, without some of the rows")
    parser.add_argument("--rows", metavar="NAME,...", help="some of: " + ", ".join(ROWS))
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR",
                        default=shared / "data/cats_and_dogs_small",
                        help="folder with one subfolder of photos for each class, or train/")
    parser.add_argument("--base", type=pathlib.Path, metavar="FILE",
                        default=shared / "weights/vgg16_notop.h5",
                        help="weights of VGG16 without top")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="threads of everyone (all cores)")
    parser.add_argument("--csv", type=pathlib.Path, metavar="FILE", help="results as CSV too")
    parser.add_argument("--tools", type=pathlib.Path, help="folder of tl and tl-bench")
    options = parser.parse_args()
    options.rows = options.rows.split(",") if options.rows else [
        name for name in ROWS if not (options.quick and name in NOT_QUICK)]
    for name in options.rows:
        if name not in ROWS:
            parser.error(f"no row '{name}'; there are {', '.join(ROWS)}")
    if (options.data / "train").is_dir():
        options.data = options.data / "train"
    check_places(options)
    return options


def check_places(options):
    if not options.data.is_dir() or not list_photos(options.data):
        sys.exit(f"compare-peers: no class folders with photos in '{options.data}'\n"
                 "name one with --data DIR, or the folder above with TL_SHARED")
    if not options.base.is_file():
        sys.exit(f"compare-peers: no VGG16 weights file '{options.base}'\n"
                 "name one with --base FILE, or the folder above with TL_SHARED")
    for tool in ("tl", "tl-bench"):
        if not (options.tools / tool).exists():
            sys.exit(f"compare-peers: no '{options.tools / tool}'\nrun 'swift build -c release'")


def measure_rows(bench, names):
    """Measures row after row; returns false when Ctrl-C ended it, which keeps finished rows."""
    try:
        for name in names:
            try:
                ROWS[name](bench)
            except Failed as failure:
                bench.missing(name, "tl", failure)
        return True
    except KeyboardInterrupt:
        return False


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder is removed
    os.environ["TL_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(options.threads)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="compare-peers-") as folder:
        bench = Bench(options, pathlib.Path(folder))
        header = machine(bench)
        finished = measure_rows(bench, options.rows)
    compare(bench.lines)
    minutes = (time.perf_counter() - begin) / 60
    if not finished:
        header.append("interrupted: rows are missing")
    header.append(f"took {minutes:.1f} minutes{' (--quick)' if options.quick else ''}, "
                  f"load {os.getloadavg()[0]:.1f} at the end")
    print("\n".join(header), table(bench.lines), sep="\n\n")
    if options.csv:
        write_csv(options.csv, bench.lines, header)
    if not finished:
        sys.exit(130)


if __name__ == "__main__":
    main()
