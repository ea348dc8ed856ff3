import Foundation
import Training

extension RunReport {
  /// The result in one line, the epochs in a second, and whether the run came to its end.
  mutating func addVerdict() {
    let record = contents.record
    if let status = record?.status, status != "finished" {
      let words = [
        "running": "The run is still going, or was killed; this is what it has written so far.",
        "interrupted": "The run was interrupted; this is what it had written by then.",
        "failed": "The run failed; this is what it had written by then.",
      ]
      page.remark((words[status] ?? "Status: \(status).") + (record?.error.map { " \($0)" } ?? ""))
    }
    if let metrics, let accuracy = metrics[name: "accuracy"], let value = accuracy.value {
      let interval = accuracy.interval.map {
        " (95 % interval \(ReportNumber.fixed($0.lowerBound * 100, 1)) to "
          + "\(ReportNumber.percent($0.upperBound)))"
      }
      let right = contents.predictions?.rows.count { $0.isRight } ?? 0
      page.add(
        "<p class=\"verdict\"><strong>\(ReportNumber.percent(value))</strong> of the photos for "
          + "validation are right: \(right) of \(metrics.count)\(interval ?? "")</p>\n")
    }
    addEpochs()
  }

  private mutating func addEpochs() {
    guard let history = contents.history, let last = history.epochs.last else { return }
    guard let best = history.best, let accuracy = history["val_accuracy"] else {
      let value = history["accuracy"]?.last.flatMap { $0 }
      page.paragraph(
        "Epochs: \(last)."
          + (value.map { " Accuracy on the photos trained on: \(ReportNumber.fixed($0, 4))." }
            ?? ""))
      return
    }
    func said(_ value: Double?) -> String {
      guard let value else { return "no number" }
      guard let count = metrics?.count else { return ReportNumber.fixed(value, 4) }
      let interval = wilsonInterval(Int((value * Double(count)).rounded()), of: count)
      return "\(ReportNumber.fixed(value, 4)) (\(ReportNumber.range(interval)))"
    }
    page.paragraph(
      "Best epoch: \(history.epochs[best]) of \(last), validation accuracy \(said(accuracy[best])). "
        + (best == history.epochs.count - 1
          ? "It is the last one." : "Last epoch: \(said(accuracy.last ?? nil)).")
        + " The best of many epochs, chosen by the photos that it is measured on, looks a little "
        + "better than it is.")
  }

  /// The commands of a recipe, and where the reports about its trainings come from.
  mutating func addStages(_ stages: [ReportRecord.Stage]) {
    page.heading("Stages")
    let rows = stages.map { stage in
      let numbers = stage.metrics.sorted { $0.key < $1.key }.map {
        "\($0.key) \(ReportNumber.fixed($0.value, 4))"
      }
      return [
        stage.name, "tl \(stage.command)", stage.seed.map { "\($0)" } ?? "",
        numbers.joined(separator: ", "), ReportNumber.duration(stage.seconds),
      ]
    }
    page.add(HTMLPage.table([["stage", "command", "seed", "measured", "took"]] + rows, numbers: 1))
    guard !contents.inner.isEmpty else { return }
    page.paragraph(
      "Each training has a report of its own: "
        + contents.inner.map { joined($0, "report.html") }.joined(separator: ", ") + ".")
  }

  mutating func addCurves() {
    page.heading("Training")
    guard let history = contents.history, !history.epochs.isEmpty else {
      return miss("no curves: \(absence(of: "history.json"))")
    }
    var charts: [String] = []
    for (title, key) in [("Loss", "loss"), ("Accuracy", "accuracy")] {
      let series = [("training", key), ("validation", "val_" + key)].compactMap { name, column in
        history[column].map { LineChart.Series(name: name, values: $0) }
      }
      let values = series.flatMap { $0.values.compactMap { $0 } }
      guard !values.isEmpty else { continue }
      let axis =
        key == "loss"
        ? Axis.linear(values, from: min(0, values.min() ?? 0)) : Axis.linear(values, limit: 1)
      charts.append(chart(title, history, series, axis))
    }
    if let rates = history["learning_rate"] {
      let values = rates.compactMap { $0 }
      let (least, most) = (values.min() ?? 0, values.max() ?? 0)
      // A tenth more, so that a constant rate does not lie on the edge.
      let axis =
        least > 0 && most / least > 30
        ? Axis.logarithmic(values) : Axis.linear(values + [most * 1.1], from: 0)
      charts.append(
        chart("Learning rate", history, [.init(name: "learning rate", values: rates)], axis))
    }
    page.add("<div class=\"charts\">\n\(charts.joined(separator: "\n"))\n</div>\n")
    if history["val_loss"] == nil, history["val_accuracy"] == nil {
      miss("no validation curves: the run's history has no numbers of validation")
    }
  }

  private func chart(
    _ title: String, _ history: ReportHistory, _ series: [LineChart.Series], _ axis: Axis
  ) -> String {
    let chart = LineChart(
      title: title, epochs: history.epochs, series: series, axis: axis, best: history.best,
      stages: history.stages)
    return "<figure><figcaption>\(title)</figcaption>\(chart.svg)</figure>"
  }

  mutating func addMetrics() {
    page.heading("Validation in numbers")
    guard let metrics else {
      let reason =
        contents.predictions == nil
        ? absence(of: "predictions.csv") : "'predictions.csv' holds no photos"
      return miss("nothing about single photos: \(reason)")
    }
    let rows = metrics.overall.map { metric in
      [
        Self.titles[metric.name] ?? metric.name.replacingOccurrences(of: "_", with: " "),
        metric.value.map { ReportNumber.fixed($0, 4) } ?? "-",
        metric.interval.map { ReportNumber.range($0, 4) } ?? "-",
      ]
    }
    page.add(HTMLPage.table([["", "value", "95 % interval"]] + rows, numbers: 2))
    page.paragraph(
      "Intervals of shares of photos are Wilson's; the others come from drawing the photos anew "
        + "\(Metrics.draws) times. Macro means count every class alike, weighted ones "
        + "every photo.")
    for note in metrics.notes {
      page.paragraph(note.prefix(1).uppercased() + note.dropFirst() + ".")
    }
  }

  private static let titles = [
    "f1_macro": "F1 macro", "f1_weighted": "F1 weighted", "roc_auc": "ROC AUC",
    "ece": "calibration error (ECE)", "brier": "Brier score",
  ]

  mutating func addConfusion() {
    guard let predictions = contents.predictions, metrics != nil else { return }
    page.heading("What was taken for what")
    page.add(ConfusionFigure(predictions).html)
  }

  mutating func addClasses() {
    guard let metrics else { return }
    page.heading("Class by class")
    let isSorted = metrics.classes.count > ConfusionFigure.largest
    let classes =
      isSorted
      ? metrics.classes.sorted { ($0.f1.value ?? 0) < ($1.f1.value ?? 0) } : metrics.classes
    if isSorted { page.paragraph("Those with the lowest F1 come first.") }
    func cell(_ metric: Metric) -> String {
      let value = metric.value.map { ReportNumber.fixed($0, 3) } ?? "-"
      let interval = metric.interval.map { "<small>\(ReportNumber.range($0, 2))</small>" }
      return "<td>\(value)\(interval ?? "")</td>"
    }
    let rows = classes.map { row in
      "<tr><th scope=\"row\">\(HTMLPage.breakable(row.className))</th>"
        + "<td>\(row.count)</td>"
        + row.all.map(cell).joined() + "</tr>"
    }
    page.add(
      """
      <div class="wide"><table class="classes"><thead><tr><th>class</th><th>photos</th>\
      <th>precision</th><th>recall</th><th>F1</th><th>ROC AUC</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>

      """)
  }

  mutating func addCalibration() {
    guard let metrics else { return }
    page.heading("Are the probabilities right?")
    guard !metrics.calibration.bins.isEmpty else {
      return miss("no reliability diagram: some probabilities are not numbers")
    }
    page.paragraph(
      "Predictions sorted by their probability: bars and dots say how often they were right, with the "
        + "95 % interval. On the dashed line probabilities are what they say; below it the model is "
        + "too sure of itself.")
    page.add(
      "<div class=\"charts\"><figure>\(CalibrationFigure(calibration: metrics.calibration).svg)"
        + "</figure></div>\n")
  }

  mutating func addMistakes() {
    guard let predictions = contents.predictions, metrics != nil, mistakes > 0 else { return }
    page.heading("The worst mistakes")
    let all = predictions.mistakes.count
    guard all > 0 else { return page.paragraph("No photo was taken for another class.") }
    let figures = MistakeFigures(
      predictions, count: mistakes, folder: data ?? validationFolder, model: contents.model)
    let shown = min(all, mistakes, MistakeFigures.most)
    let maps = "The heat map (Grad-CAM) is brightest where the photo spoke for the wrong class."
    page.paragraph(
      (all == 1 ? "The only mistake." : "\(shown) of \(all) mistakes, the surest first.")
        + " The right class is in bold. " + (figures.hasMaps ? maps : ""))
    for text in figures.missing { miss(text) }
    page.add(figures.html)
  }

  /// Where the run found its photos for validation: as it says, from here or from its own folder.
  private var validationFolder: String? {
    guard let path = contents.record?.validation else { return nil }
    let below = joined(contents.folder, path)
    let files = FileManager.default
    return !files.fileExists(atPath: path) && files.fileExists(atPath: below) ? below : path
  }

  mutating func addRun() {
    page.heading("The run")
    guard let record = contents.record else {
      return miss("nothing about the run itself: \(absence(of: "run.json"))")
    }
    let seconds = contents.history?["seconds"]?.compactMap { $0 } ?? []
    let rows: [(String, String?)] = [
      ("command", record.command.map { "tl \($0)" }), ("status", record.status),
      ("frozen", record.frozen), ("trained", record.trained), ("photos", record.data),
      ("photos for validation", record.validation), ("started", record.started),
      ("finished", record.finished), ("took", record.seconds.map(ReportNumber.duration)),
      (
        "an epoch took",
        seconds.isEmpty
          ? nil : ReportNumber.duration(seconds.sorted()[seconds.count / 2]) + " (median)"
      ), ("waiting for photos", record.photoWait.map { ReportNumber.percent($0) }),
      ("instructions", record.isa), ("threads", record.threads.map { "\($0)" }),
      ("version of tl", record.version),
    ]
    let known = rows.compactMap { name, value in
      value.map { "<dt>\(name)</dt><dd>\(HTMLPage.escaped($0))</dd>" }
    }
    page.add("<dl>\n\(known.joined(separator: "\n"))\n</dl>\n")
  }

  mutating func addRecipe() {
    page.heading("Recipe")
    guard let recipe = contents.recipe else {
      return miss("no recipe: \(absence(of: "recipe.yaml"))")
    }
    page.add("<pre>\(HTMLPage.escaped(recipe))</pre>\n")
  }
}
