import Explain
import Foundation
import Images
import TestSupport
import Testing
import Training

/// The report of a training run, from folders made here.
struct ReportTests {
  private static let script = "<script>alert(1)"
  private static let names = [script, "cats & \"dogs\""]

  /// A run of six photos of which the model, of random weights, takes some for another class.
  private func makeRun(_ folder: URL, model: Bool = true) throws -> Predictions {
    let classifier = try ClassifierModel(
      new: .leNet5, classNames: Self.names,
      loader: PhotoLoader(height: 32, width: 32, preprocessing: .rescale), seed: 1)
    if model { try classifier.save(folder.path + "/model.h5") }
    let photos = folder.appending(path: "photos")
    for (label, name) in Self.names.enumerated() {
      let place = photos.appending(path: name)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for number in 0..<3 {
        let shade = UInt8(40 + 60 * number + 20 * label)
        let pixels = (0..<48 * 40).flatMap { [shade, UInt8($0 % 251), 255 - shade] }
        let image = RGBImage(width: 48, height: 40, pixels: pixels)
        try Data(try image.png()).write(to: place.appending(path: "\(number).png"))
      }
    }
    let data = try PhotoFolder(labelled: photos.path)
    let predictions = try classifier.evaluate(
      data, path: photos.path, batchSize: 4, isStrict: true, report: { _ in }
    ).predictions
    try predictions.write(to: folder.path + "/predictions.csv")
    try write(
      """
      {"format": 1, "command": "train", "status": "finished", "seconds": 75.4, "data": "photos",
       "validation": "photos", "model": "model.h5", "frozen": "2 tensors unchanged", "threads": 2}
      """, "run.json", folder)
    try write(
      """
      {"epoch": [1, 2, 3], "loss": [0.9, 0.5, 0.25], "accuracy": [0.5, 0.7, 0.9],
       "val_loss": [0.8, 0.6, null], "val_accuracy": [0.5, 0.6667, 0.6667],
       "learning_rate": [0.001, 0.0005, 0.00025]}
      """, "history.json", folder)
    try write("seed: 1\nname: <b>bold</b>\n", "recipe.yaml", folder)
    return predictions
  }

  private func write(_ text: String, _ name: String, _ folder: URL) throws {
    try Data(text.utf8).write(to: folder.appending(path: name))
  }

  private func page(_ folder: URL) throws -> String {
    try String(contentsOf: folder.appending(path: "report.html"), encoding: .utf8)
  }

  private func count(_ piece: String, _ text: String) -> Int {
    text.components(separatedBy: piece).count - 1
  }

  @Test func holdsAllAndNeedsNothingElse() throws {
    try Locations.withTemporaryFolder { folder in
      let predictions = try makeRun(folder)
      let mistakes = predictions.mistakes.count
      try #require((1...5).contains(mistakes))
      let written = try writeReport(run: folder.path)
      #expect(written.missing == [])
      #expect(written.path == folder.path + "/report.html")
      let page = try page(folder)
      #expect(page.utf8.count == written.bytes)
      for heading in [
        "Training", "Validation in numbers", "What was taken for what", "Class by class",
        "Are the probabilities right?", "The worst mistakes", "The run", "Recipe",
      ] {
        #expect(count("<h2>\(heading)</h2>", page) == 1, "\(heading)")
      }
      #expect(count("data:image/jpeg", page) == 2 * mistakes)
      #expect(count("alt=\"Heat map: where", page) == mistakes)
      #expect(count("<svg", page) == 4)
      #expect(page.contains("best: 2</text>"))
      #expect(page.contains("\(6 - mistakes) of 6 (95 % interval "))
      #expect(page.contains("2 tensors unchanged") && page.contains("1 min 15 s"))
      // Names are text, never markup, and nothing is loaded from anywhere.
      #expect(!page.contains("<script") && !page.contains("<b>bold"))
      #expect(page.contains("&lt;script&gt;alert(1)") && page.contains("&lt;b&gt;bold"))
      #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("url("))
      #expect(page.contains("content=\"default-src 'none'; img-src data:;"))
    }
  }

  @Test func mistakesCanBeLeftOutAndPhotosBeElsewhere() throws {
    try Locations.withTemporaryFolder { folder in
      let mistakes = try makeRun(folder).mistakes.count
      _ = try writeReport(run: folder.path, mistakes: 0)
      #expect(try count("data:image", page(folder)) == 0)
      let (old, new) = (folder.path + "/photos", folder.path + "/moved")
      try FileManager.default.moveItem(atPath: old, toPath: new)
      let gone = try writeReport(run: folder.path)
      #expect(gone.missing.count == 1)
      #expect(gone.missing[0].contains("\(mistakes) of the \(mistakes) mistakes' photos"))
      #expect(gone.missing[0].contains("`tl report --data DIR`"))
      let text = try page(folder)
      #expect(count("data:image", text) == 0 && count("class=\"mistake\"", text) == mistakes)
      #expect(text.contains("class=\"missing\">\(mistakes) of the"))
      let moved = try writeReport(run: folder.path, data: new)
      #expect(moved.missing == [])
      #expect(try count("data:image/jpeg", page(folder)) == 2 * mistakes)
    }
  }

  @Test func withoutAModelThereAreNoHeatMaps() throws {
    try Locations.withTemporaryFolder { folder in
      let mistakes = try makeRun(folder, model: false).mistakes.count
      let written = try writeReport(run: folder.path)
      #expect(written.missing == ["no heat maps: the run's model is not in its folder"])
      #expect(try count("data:image/jpeg", page(folder)) == mistakes)
      try write("no model", "model.h5", folder)
      let broken = try writeReport(run: folder.path)
      #expect(broken.missing.count == 1 && broken.missing[0].hasPrefix("no heat maps: cannot"))
    }
  }

  @Test func aModelThatSaysOtherThingsIsNoticed() throws {
    try Locations.withTemporaryFolder { folder in
      let predictions = try makeRun(folder)
      // Every photo gets the other class and the other prediction.
      let turned = Predictions(
        classNames: predictions.classNames,
        rows: predictions.rows.map {
          .init(path: $0.path, label: $0.label, probabilities: $0.probabilities.reversed())
        })
      try turned.write(to: folder.path + "/predictions.csv")
      let written = try writeReport(run: folder.path)
      #expect(written.missing.contains { $0.contains("photos or model have changed since") })
    }
  }

  @Test func whatIsNotThereIsSaidAndTheRestIsMade() throws {
    try Locations.withTemporaryFolder { folder in
      try write("{\"loss\": [1, 0.5], \"accuracy\": [0.4, 0.6]}", "history.json", folder)
      let bare = try writeReport(run: folder.path)
      #expect(
        bare.missing == [
          "no validation curves: the run's history has no numbers of validation",
          "nothing about single photos: there is no 'predictions.csv' in the run's folder",
          "nothing about the run itself: there is no 'run.json' in the run's folder",
          "no recipe: there is no 'recipe.yaml' in the run's folder",
        ])
      #expect(try count("<svg", page(folder)) == 2)
      try write("{broken", "run.json", folder)
      try write("path,class\n", "predictions.csv", folder)
      let damaged = try writeReport(run: folder.path, output: folder.path + "/other.html")
      #expect(
        damaged.missing.contains {
          $0.hasPrefix("nothing about single photos: 'predictions.csv' cannot be read: ")
        })
      #expect(
        damaged.missing.contains(
          "nothing about the run itself: 'run.json' cannot be read: it is no JSON of that kind"))
      #expect(FileManager.default.fileExists(atPath: folder.path + "/other.html"))
    }
  }

  @Test func aFolderThatIsNoRunIsRefused() throws {
    try Locations.withTemporaryFolder { folder in
      for (path, found) in [
        (folder.path, "found none of them"), (folder.path + "/nowhere", "found no such folder"),
      ] {
        let error = #expect(throws: ExplainError.self) { _ = try writeReport(run: path) }
        #expect(error?.description.contains(found) == true)
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left == [])
    }
  }

  @Test func anInterruptedRunsHistoryIsReadFromItsTable() throws {
    try Locations.withTemporaryFolder { folder in
      try write("{\"status\": \"interrupted\"}", "run.json", folder)
      try write(
        "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.9,0.5,,0.25\n2,0.8,0.6,nan,0.75\n",
        "history.csv", folder)
      _ = try writeReport(run: folder.path)
      let page = try page(folder)
      #expect(page.contains("The run was interrupted"))
      #expect(page.contains("Best epoch: 2 of 2, validation accuracy 0.7500"))
    }
  }

  @Test func aRecipesRunTellsItsStages() throws {
    try Locations.withTemporaryFolder { folder in
      try write(
        """
        {"command": "run", "status": "failed", "error": "tune: <no> photos", "stages": [
          {"name": "head", "command": "train-head", "seed": 1, "seconds": 2,
           "metrics": {"val_accuracy": 0.91666, "loss": 0.5}},
          {"name": "test", "command": "evaluate", "seconds": 61, "metrics": {}}]}
        """, "run.json", folder)
      let head = folder.appending(path: "head")
      try FileManager.default.createDirectory(at: head, withIntermediateDirectories: true)
      try write("{\"status\": \"finished\"}", "run.json", head)
      let written = try writeReport(run: folder.path)
      #expect(written.missing == ["no recipe: there is no 'recipe.yaml' in the run's folder"])
      let page = try page(folder)
      #expect(page.contains("The run failed; this is what it had written by then. tune: &lt;no"))
      #expect(page.contains("loss 0.5000, val_<wbr>accuracy 0.9167"))
      #expect(page.contains("a report of its own: head/report.html."))
    }
  }

  @Test func featuresHaveNoPhotosUntilTheirFolderIsNamed() throws {
    try Locations.withTemporaryFolder { folder in
      let mistakes = try makeRun(folder).mistakes.count
      try write("", "features.h5", folder)
      try write("{\"validation\": \"\(folder.path)/features.h5\"}", "run.json", folder)
      let written = try writeReport(run: folder.path)
      #expect(written.missing.contains { $0.contains("validated on features") })
      let named = try writeReport(run: folder.path, data: folder.path + "/photos")
      #expect(named.missing == [])
      #expect(try count("data:image/jpeg", page(folder)) == 2 * mistakes)
    }
  }

  @Test(arguments: [15, 48]) func manyClassesAreFolded(classes: Int) throws {
    try Locations.withTemporaryFolder { folder in
      let names = (0..<classes).map { "class_\($0)" }
      var rows: [Predictions.Row] = []
      for label in 0..<classes {
        for taken in [label, label, label % 5 == 0 ? (label + 1) % classes : label] {
          var probabilities = [Float](repeating: 0.1 / Float(classes - 1), count: classes)
          probabilities[taken] = 0.9
          rows.append(.init(path: "\(label).jpg", label: label, probabilities: probabilities))
        }
      }
      try Predictions(classNames: names, rows: rows).write(to: folder.path + "/predictions.csv")
      _ = try writeReport(run: folder.path)
      let page = try page(folder)
      let isFolded = classes > 15
      #expect(page.contains("class=\"confusion\"") == !isFolded)
      #expect(page.contains("Mixed up most often") == isFolded)
      #expect(page.contains("Those with the lowest F1 come first.") == isFolded)
      #expect(count("<tr><th scope=\"row\">class_", page) == classes)
      if isFolded { #expect(page.contains("class_<wbr>0</td><td>class_<wbr>1</td>")) }
    }
  }

  @Test(
    arguments: [
      ([0.0, 0.93], nil, nil, [0, 0.5, 1]), ([0.51, 0.98], nil, 1, [0.4, 0.6, 0.8, 1]),
      ([0.3, 4.7], 0.0, nil, [0, 2, 4, 6]), ([2e-5, 2.2e-5], 0.0, nil, [0, 1e-5, 2e-5, 3e-5]),
      ([0.5, 0.5], nil, 1, [0.4, 0.6]), ([1.0, 1.0], nil, 1, [1, 1.5]),
    ] as [([Double], Double?, Double?, [Double])])
  func ticksAreRoundNumbers(
    values: [Double], start: Double?, limit: Double?, expected: [Double]
  ) {
    let axis = Axis.linear(values, from: start, limit: limit)
    #expect(axis.ticks.count == expected.count, "\(axis.ticks)")
    #expect(zip(axis.ticks, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(axis.ticks)")
    #expect(values.allSatisfy { $0 >= axis.low - 1e-12 && $0 <= axis.high + 1e-12 })
  }

  @Test func epochsAndRatesHaveTicksOfTheirKind() {
    #expect(Axis.epochs(Array(1...15)).ticks == [1, 5, 10, 15])
    #expect(Axis.epochs(Array(1...6)).ticks == [1, 2, 3, 4, 5, 6])
    #expect(Axis.epochs([4]).ticks == [4])
    #expect(
      Axis.logarithmic([3e-6, 2e-3]).ticks.map { ReportNumber.scientific($0) }
        == ["1e-6", "1e-5", "1e-4", "1e-3", "1e-2"])
    #expect(["2e-5", "1.5e-4", "1", "0"] == [2e-5, 1.5e-4, 1, 0].map(ReportNumber.scientific))
    #expect(
      ["4.2 s", "42 s", "1 min 0 s", "2 h 5 min"]
        == [4.2, 42, 59.9, 7512].map(ReportNumber.duration))
  }

  @Test func bestEpochIsThatOfTheValidation() throws {
    func best(_ accuracy: [Double?], _ loss: [Double?]) -> Int? {
      ReportHistory(columns: ["loss": [1, 1, 1], "val_accuracy": accuracy, "val_loss": loss]).best
    }
    #expect(best([0.5, 0.9, 0.7], [1, 2, 3]) == 1)
    #expect(best([0.9, 0.9, 0.7], [1, 0.5, 3]) == 1)
    #expect(best([0.9, 0.9, 0.9], [nil, nil, nil]) == 0)
    #expect(best([nil, nil, nil], [1, 1, 1]) == nil)
  }
}
