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
    /// Photos taken over count as done from the beginning.
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
      loader: source.loader,
      plan: base.plan(outputs: [base.outputIndex], precision: source.precision),
      batchSize: batchSize, isStrict: isStrict)
  }

  /// Runs over the folder and writes `output`; `report` may throw to stop.
  package func run(
    _ folder: PhotoFolder, output: String, report: (Event) throws -> Void
  ) throws -> Summary {
    let files = RunFiles(output: output)
    let earlier = try earlierRows(folder, files, report: report)
    defer { earlier.file?.close() }
    if let file = earlier.file, file.path == output, earlier.isEverything(folder, in: file) {
      try? FileManager.default.removeItem(atPath: files.partial)
      return Summary(
        tally: PhotoTally(), computed: 0, reused: file.rows.count, rowShape: file.rowShape)
    }
    do {
      let summary = try write(files.inProgress, folder, earlier, report: report)
      try AtomicFile.rename(files.inProgress, to: output)
      FileCheck.trust(output)
      try? FileManager.default.removeItem(atPath: files.partial)
      return summary
    } catch {
      keepWhatIsWhole(files, earlier)
      throw error
    }
  }

  /// Writes the whole file at `path`; after an error, the rows so far if those can be saved.
  private func write(
    _ path: String, _ folder: PhotoFolder, _ earlier: EarlierRows, report: (Event) throws -> Void
  ) throws -> Summary {
    var writer = try FeatureFileWriter(
      path: path, source: source, classNames: folder.classNames,
      rowShape: pass.plan.outputShapes[0],
      pathWidth: folder.photos.map(\.relativePath.utf8.count).max() ?? 1)
    do {
      let summary = try fill(&writer, folder, earlier, report: report)
      guard summary.computed + summary.reused > 0 else {
        throw TrainingError.nothingLeft(summary.tally.skipped)
      }
      try writer.close(isComplete: true)
      return summary
    } catch let failure {
      do {
        try writer.close(isComplete: false)
      } catch {
        // As when the disk is full: nobody knows what of it is there.
        writer.abandon()
        try? FileManager.default.removeItem(atPath: path)
      }
      throw failure
    }
  }

  /// After an error: what could be written becomes the partial file if it can be read and holds
  /// more rows than that has; else it goes.
  private func keepWhatIsWhole(_ files: RunFiles, _ earlier: EarlierRows) {
    defer { try? FileManager.default.removeItem(atPath: files.inProgress) }
    guard let file = try? FeatureFile(files.inProgress) else { return }
    file.close()
    let before = earlier.file?.path == files.partial ? earlier.valid.count : 0
    if file.rows.count > before {
      try? AtomicFile.rename(files.inProgress, to: files.partial)
    }
  }

  private func fill(
    _ writer: inout FeatureFileWriter, _ folder: PhotoFolder, _ earlier: EarlierRows,
    report: (Event) throws -> Void
  ) throws -> Summary {
    var tally = PhotoTally()
    var (computed, reused) = (0, 0)
    let total = folder.photos.count
    var done = earlier.valid.count
    try report(.progress(done: done, of: total))
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
          tally.used += part.count
          try report(.progress(done: done, of: total))
        }
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
        done += batch.range.count
        try report(.progress(done: done, of: total))
      }
      tally.add(runTally)
    }
    return Summary(
      tally: tally, computed: computed, reused: reused, rowShape: pass.plan.outputShapes[0])
  }

  /// What can be taken over from earlier runs.
  private func earlierRows(
    _ folder: PhotoFolder, _ files: RunFiles, report: (Event) throws -> Void
  ) throws -> EarlierRows {
    for path in files.abandoned() {
      try? FileManager.default.removeItem(atPath: path)
      try report(.startingOver(path, why: "the run that wrote it was killed"))
    }
    let best = try EarlierRows.best(
      of: [files.output, files.partial], for: folder.photos, source: source,
      rowShape: pass.plan.outputShapes[0]
    ) { try report(.startingOver($0, why: $1)) }
    if let file = best.file {
      try report(.reusing(best.valid.count, of: folder.photos.count, from: file.path))
    }
    return best
  }
}
