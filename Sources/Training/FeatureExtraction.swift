import Compute
import Foundation
import HDF5
package import Images
package import Layers
import Weights

/// Computes what a frozen base makes of a folder of photos, and stores it in a feature file.
///
/// Rows of an earlier file that are still valid (same base, same settings, same photo bytes) are
/// taken over. An interrupted run leaves `<output>.partial`, which the next run continues.
package struct FeatureExtraction {
  package let source: FeatureSource
  private let pass: PhotoPass

  /// What an extraction reports while it runs.
  package enum Event: Sendable {
    /// How many rows of an earlier file are taken over, of how many photos.
    case reusing(Int, of: Int, from: String)
    /// An earlier file cannot be used, and why.
    case startingOver(String, why: String)
    case progress(done: Int, of: Int)
  }

  /// What an extraction gave.
  package struct Summary: Sendable {
    package let tally: PhotoTally
    package let computed: Int
    package let reused: Int
    package let rowShape: [Int]
  }

  /// `base` ends with the layer whose output is wanted, pooling included.
  package init(base: Network, source: FeatureSource, batchSize: Int, isStrict: Bool) {
    self.source = source
    pass = PhotoPass(
      loader: source.loader, plan: base.plan(outputs: [base.outputIndex]), batchSize: batchSize,
      isStrict: isStrict)
  }

  /// Runs over the folder and writes `output`; `report` may throw to stop.
  package func run(
    _ folder: PhotoFolder, output: String, report: (Event) throws -> Void
  ) throws -> Summary {
    let partial = output + ".partial"
    let earlier = try earlierRows(folder, [partial, output], report: report)
    defer { earlier.file?.close() }
    if let file = earlier.file, file.path == output, earlier.isEverything(folder, in: file) {
      try? FileManager.default.removeItem(atPath: partial)
      return Summary(
        tally: PhotoTally(), computed: 0, reused: file.rows.count, rowShape: file.rowShape)
    }
    // The old partial file stays readable under another name until its rows are taken over.
    let inProgress = partial + ".new"
    var writer = try FeatureFileWriter(
      path: inProgress, source: source, classNames: folder.classNames,
      rowShape: pass.plan.outputShapes[0],
      pathWidth: folder.photos.map(\.relativePath.utf8.count).max() ?? 1)
    do {
      let summary = try fill(&writer, folder, earlier, report: report)
      guard summary.computed + summary.reused > 0 else {
        throw TrainingError.nothingLeft(folder.photos[0].path)
      }
      try writer.close(isComplete: true)
      try rename(inProgress, to: output)
      try? FileManager.default.removeItem(atPath: partial)
      return summary
    } catch {
      keepWhatIsWhole(&writer, inProgress, as: partial)
      throw error
    }
  }

  /// After an error: a file that still saves and closes well becomes the partial file.
  private func keepWhatIsWhole(
    _ writer: inout FeatureFileWriter, _ path: String, as partial: String
  ) {
    do {
      try writer.close(isComplete: false)
      guard try writer.rowCount > 0 && FeatureFile(path).rows.count == writer.rowCount else {
        throw TrainingError.nothingLeft(path)
      }
      try rename(path, to: partial)
    } catch {
      writer.abandon()
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  private func fill(
    _ writer: inout FeatureFileWriter, _ folder: PhotoFolder, _ earlier: EarlierRows,
    report: (Event) throws -> Void
  ) throws -> Summary {
    var tally = PhotoTally()
    var (computed, reused) = (0, 0)
    var lastCheckpoint = ContinuousClock.now
    let total = folder.photos.count
    for run in earlier.runs(folder.photos) {
      let photos = Array(folder.photos[run.photos])
      if let file = earlier.file, let rows = run.rows {
        for start in stride(from: 0, to: rows.count, by: pass.batchSize) {
          let part = start..<min(start + pass.batchSize, rows.count)
          let range = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
          let labelled = zip(photos[part], file.rows[range]).map { photo, row in
            FeatureRow(
              path: photo.relativePath, label: photo.label, fingerprint: row.fingerprint)
          }
          try writer.append(try file.features(range), rows: labelled)
          reused += part.count
        }
        try report(.progress(done: run.photos.upperBound, of: total))
        continue
      }
      let runTally = try pass.run(photos) { batch, values in
        let rows = zip(batch.indices, batch.photos).map { index, loaded in
          FeatureRow(
            path: photos[index].relativePath, label: photos[index].label,
            fingerprint: loaded.fingerprint)
        }
        try writer.append(values, rows: rows)
        computed += rows.count
        if ContinuousClock.now - lastCheckpoint > .seconds(5) {
          try writer.checkpoint()
          lastCheckpoint = .now
        }
        try report(
          .progress(done: run.photos.lowerBound + batch.range.upperBound, of: total))
      }
      tally.add(runTally)
    }
    return Summary(
      tally: tally, computed: computed, reused: reused, rowShape: pass.plan.outputShapes[0])
  }

  /// The first of the files that can be used, and which of its rows are still valid.
  private func earlierRows(
    _ folder: PhotoFolder, _ paths: [String], report: (Event) throws -> Void
  ) throws -> EarlierRows {
    for path in paths where FileManager.default.fileExists(atPath: path) {
      do {
        let file = try FeatureFile(path)
        if let why = source.mismatch(with: file.source) {
          file.close()
          try report(.startingOver(path, why: why))
          continue
        }
        guard file.rowShape == pass.plan.outputShapes[0] else {
          file.close()
          try report(.startingOver(path, why: "its rows are \(file.rowShape)"))
          continue
        }
        let earlier = EarlierRows(file: file, photos: folder.photos)
        try report(.reusing(earlier.valid.count, of: folder.photos.count, from: path))
        return earlier
      } catch let error as TrainingError {
        try report(.startingOver(path, why: error.description))
      } catch let error as HDF5Error {
        try report(.startingOver(path, why: error.description))
      }
    }
    return EarlierRows()
  }

  private func rename(_ path: String, to target: String) throws {
    try AtomicFile.rename(path, to: target)
  }
}

/// Rows of an earlier feature file whose photos have not changed since.
private struct EarlierRows {
  var file: FeatureFile?
  /// For an index in the list of photos, the row of the file.
  var valid: [Int: Int] = [:]

  init() {}

  /// Compares the digest of every photo that the file names with the one stored.
  init(file: FeatureFile, photos: [Photo]) {
    self.file = file
    let rowOfPath = Dictionary(
      file.rows.indices.map { (file.rows[$0].path, $0) }, uniquingKeysWith: { first, _ in first })
    let known = photos.indices.filter { rowOfPath[photos[$0].relativePath] != nil }
    for index in known {
      guard let row = rowOfPath[photos[index].relativePath],
        let digest = try? PhotoFingerprint.sha256(ofFile: photos[index].path)
      else { continue }
      if digest == file.rows[row].fingerprint { valid[index] = row }
    }
  }

  /// Whether the file already is what a run over the folder would give.
  func isEverything(_ folder: PhotoFolder, in file: FeatureFile) -> Bool {
    guard file.isComplete, file.classNames == folder.classNames,
      file.rows.count == folder.photos.count
    else { return false }
    return folder.photos.indices.allSatisfy {
      valid[$0] == $0 && file.rows[$0].label == folder.photos[$0].label
    }
  }

  /// The list of photos cut into runs that are either all computed or consecutive rows of the file.
  func runs(_ photos: [Photo]) -> [(photos: Range<Int>, rows: Range<Int>?)] {
    var result: [(photos: Range<Int>, rows: Range<Int>?)] = []
    for index in photos.indices {
      let row = valid[index]
      if let last = result.last, last.rows?.upperBound == row {
        result[result.count - 1].photos = last.photos.lowerBound..<index + 1
        if let rows = last.rows, let row {
          result[result.count - 1].rows = rows.lowerBound..<row + 1
        }
      } else {
        result.append((index..<index + 1, row.map { $0..<$0 + 1 }))
      }
    }
    return result
  }
}
