import Foundation
import HDF5
import Images

/// Rows of an earlier feature file whose photos have not changed since.
struct EarlierRows {
  private(set) var file: FeatureFile?
  /// For an index in the list of photos, the row of the file.
  private(set) var valid: [Int: Int] = [:]

  init() {}

  /// Compares the digest of every photo that the file names with the one stored.
  private init(file: FeatureFile, photos: [Photo], digests: inout PhotoDigests) {
    self.file = file
    let rowOfPath = Dictionary(
      file.rows.indices.map { (file.rows[$0].path, $0) }, uniquingKeysWith: { first, _ in first })
    for index in photos.indices {
      guard let row = rowOfPath[photos[index].relativePath] else { continue }
      if digests.digest(of: photos[index]) == file.rows[row].fingerprint { valid[index] = row }
    }
  }

  /// Of the files that exist, the one with the most rows that are still valid; the first of equals.
  ///
  /// - Parameter refused: takes the files that cannot be used, and why.
  static func best(
    of paths: [String], for photos: [Photo], source: FeatureSource, rowShape: [Int],
    refused: (_ path: String, _ why: String) throws -> Void
  ) throws -> EarlierRows {
    var digests = PhotoDigests()
    var best = EarlierRows()
    for path in paths where FileManager.default.fileExists(atPath: path) {
      do {
        let file = try FeatureFile(path)
        if let why = mismatch(of: file, with: source, rowShape: rowShape) {
          file.close()
          try refused(path, why)
          continue
        }
        let earlier = EarlierRows(file: file, photos: photos, digests: &digests)
        if best.file == nil || earlier.valid.count > best.valid.count {
          best.file?.close()
          best = earlier
        } else {
          file.close()
        }
      } catch let error as TrainingError {
        try refused(path, error.description)
      } catch let error as HDF5Error {
        try refused(path, error.description)
      }
    }
    return best
  }

  private static func mismatch(
    of file: FeatureFile, with source: FeatureSource, rowShape: [Int]
  ) -> String? {
    source.mismatch(with: file.source)
      ?? (file.rowShape == rowShape ? nil : "its rows are \(file.rowShape)")
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

/// Digests of photo files, each computed once.
private struct PhotoDigests {
  private var known: [String: String?] = [:]

  /// Nil where the file cannot be read.
  mutating func digest(of photo: Photo) -> String? {
    if let digest = known[photo.path] { return digest }
    let digest = try? PhotoFingerprint.sha256(ofFile: photo.path)
    known.updateValue(digest, forKey: photo.path)
    return digest
  }
}
