package import Compute
import Foundation
import HDF5
package import Images
import Weights

/// What features were computed with; two files fit together when these are equal.
package struct FeatureSource: Equatable, Sendable {
  /// The architecture's name, such as `vgg16`.
  package var base: String
  /// The weights file that was read.
  package var baseFile: String
  /// A digest of the base's tensors up to `layer`.
  package var baseFingerprint: String
  package var layer: String
  package var pooling: FeaturePooling
  package var loader: PhotoLoader
  /// What the base multiplied.
  package var precision: Precision

  package init(
    base: String, baseFile: String, baseFingerprint: String, layer: String,
    pooling: FeaturePooling, loader: PhotoLoader, precision: Precision = .f32
  ) {
    self.base = base
    self.baseFile = baseFile
    self.baseFingerprint = baseFingerprint
    self.layer = layer
    self.pooling = pooling
    self.loader = loader
    self.precision = precision
  }

  /// The first difference that makes two sources not belong together, as a sentence, or nil.
  ///
  /// The weights file may have another path: its fingerprint counts.
  package func mismatch(with other: FeatureSource) -> String? {
    let pairs: [(String, String, String)] = [
      ("base", base, other.base),
      ("layer", layer, other.layer),
      ("image size", loader.sizeText, other.loader.sizeText),
      ("preprocessing", loader.preprocessing.rawValue, other.loader.preprocessing.rawValue),
      ("interpolation", loader.interpolation.rawValue, other.loader.interpolation.rawValue),
      ("fit", loader.fit.rawValue, other.loader.fit.rawValue),
      ("orientation", loader.orientationText, other.loader.orientationText),
      ("decoding", loader.decodingText, other.loader.decodingText),
      ("pooling", pooling.rawValue, other.pooling.rawValue),
      ("precision", precision.rawValue, other.precision.rawValue),
      ("fingerprint of the base", baseFingerprint, other.baseFingerprint),
    ]
    guard let (what, mine, theirs) = pairs.first(where: { $0.1 != $0.2 }) else { return nil }
    return "\(what) is '\(mine)' here and '\(theirs)' there"
  }
}

extension PhotoLoader {
  /// Such as `150x150`, height first.
  package var sizeText: String { "\(height)x\(width)" }
  /// Such as `nearest` or `bilinear, crop, fast decoding`.
  package var scalingText: String {
    [
      interpolation.rawValue, fit == .squash ? nil : fit.rawValue,
      fastDecode ? "fast decoding" : nil,
    ].compactMap { $0 }.joined(separator: ", ")
  }
  /// Whether EXIF orientation is applied, in a word.
  package var orientationText: String { ignoreOrientation ? "ignored" : "exif" }
  /// How large photos are decoded, in a word.
  package var decodingText: String { fastDecode ? "fast" : "exact" }
}

/// How a `[height, width, channels]` output becomes features.
package enum FeaturePooling: String, Sendable, CaseIterable {
  case none
  /// The mean over height and width.
  case average = "avg"
  /// The maximum over height and width.
  case max
}

/// Which photo a row of features came from.
package struct FeatureRow: Sendable, Equatable {
  /// The path below the data folder.
  package var path: String
  /// The index of the class, nil where the folder had no classes.
  package var label: Int?
  /// SHA-256 of the photo file.
  package var fingerprint: String
}

/// Writes a feature file piece by piece: `features [n, ...]` float32, `labels`, `paths`,
/// `photo_sha256`, `class_names`, and the source as attributes of the root.
///
/// Only after `close` is the file whole: libhdf5 keeps parts of it in memory until then.
struct FeatureFileWriter {
  private let file: HDF5File
  private let features: HDF5Dataset
  private let labels: HDF5Dataset
  private let paths: HDF5Dataset
  private let fingerprints: HDF5Dataset
  private let rowSize: Int
  private let rowShape: [Int]
  private var rows: [FeatureRow] = []

  /// Creates the file at `path`; no photo's path may be longer than `pathWidth` bytes.
  init(
    path: String, source: FeatureSource, classNames: [String], rowShape: [Int], pathWidth: Int
  ) throws {
    self.rowShape = rowShape
    rowSize = rowShape.reduce(1, *)
    file = try HDF5File.create(path)
    let root = try file.root
    let rowsPerChunk = max(1, min(64, 262_144 / max(rowSize, 1)))
    features = try root.createDataset(
      "features", shape: [0] + rowShape, type: .float32, chunk: [rowsPerChunk] + rowShape,
      maximumShape: [nil] + rowShape)
    func column(_ name: String, _ type: HDF5ElementType) throws -> HDF5Dataset {
      try root.createDataset(name, shape: [0], type: type, chunk: [1024], maximumShape: [nil])
    }
    labels = try column("labels", .int64)
    paths = try column("paths", .fixedString(length: max(pathWidth, 1)))
    fingerprints = try column("photo_sha256", .fixedString(length: 64))
    let names = try root.createDataset(
      "class_names", shape: [classNames.count], type: .variableString())
    if !classNames.isEmpty { try names.writeStrings(classNames) }
    try source.write(to: root.attributes)
    try root.attributes.set("complete", integer: 0)
  }

  /// Adds rows of features `[rows.count, ...]`.
  mutating func append(_ values: Tensor, rows new: [FeatureRow]) throws {
    precondition(
      values.count == new.count * rowSize, "\(values.shape) does not hold \(new.count) rows")
    guard !new.isEmpty else { return }
    let start = rows.count
    rows += new
    try features.resize(to: [rows.count] + rowShape)
    try features.writeRows(values.scalars, at: start)
  }

  /// Saves what is known of the rows and closes; `isComplete` says that no photo is left to do.
  func close(isComplete: Bool) throws {
    if !rows.isEmpty {
      for column in [labels, paths, fingerprints] { try column.resize(to: [rows.count]) }
      try labels.writeRows(rows.map { Int64($0.label ?? -1) }, at: 0)
      try paths.writeStrings(rows.map(\.path), at: 0)
      try fingerprints.writeStrings(rows.map(\.fingerprint), at: 0)
    }
    if isComplete { try file.root.attributes.set("complete", integer: 1) }
    try file.flush()
    try file.close()
  }

  /// Closes without saving anything more, after an error.
  func abandon() { try? file.close() }
}

/// A feature file opened for reading.
package struct FeatureFile {
  package let path: String
  package let source: FeatureSource
  package let classNames: [String]
  package let rows: [FeatureRow]
  /// The shape of one row.
  package let rowShape: [Int]
  /// False for what an interrupted run left.
  package let isComplete: Bool
  private let file: HDF5File

  /// Opens and checks the file; features are read later.
  package init(_ path: String) throws {
    try FileCheck.check(path)
    file = try HDF5File.open(path)
    self.path = path
    let root = try file.root
    guard try root.contains("features"), try root.contains("paths") else {
      throw TrainingError.notAFeatureFile(path, missing: "'features' and 'paths'")
    }
    let features = try root.dataset("features")
    rowShape = Array(features.shape.dropFirst())
    source = try FeatureSource(root.attributes, path: path)
    classNames = try root.dataset("class_names").readStrings()
    isComplete = try root.attributes.integer("complete") == 1
    let labels = try root.dataset("labels").readIntegers().map { Int($0) }
    let paths = try root.dataset("paths").readStrings()
    let fingerprints = try root.dataset("photo_sha256").readStrings()
    guard [labels.count, paths.count, fingerprints.count].allSatisfy({ $0 == features.shape[0] })
    else {
      throw TrainingError.notAFeatureFile(path, missing: "columns of equal length")
    }
    let classes = classNames.count
    guard labels.allSatisfy({ $0 < classes }), Set(classNames).count == classes,
      !classNames.contains("")
    else {
      throw TrainingError.notAFeatureFile(path, missing: "a class name for every label")
    }
    rows = labels.indices.map {
      FeatureRow(
        path: paths[$0], label: labels[$0] < 0 ? nil : labels[$0], fingerprint: fingerprints[$0])
    }
  }

  /// The features of some rows, `[range.count, ...]`.
  package func features(_ range: Range<Int>) throws -> Tensor {
    let values = try file.root.dataset("features").readRows(range)
    return Tensor(shape: [range.count] + rowShape, scalars: values)
  }

  /// All features and labels in memory.
  ///
  /// Throws when rows have no labels.
  package func examples() throws -> CachedExamples {
    let labels = rows.compactMap(\.label)
    guard labels.count == rows.count, !classNames.isEmpty else {
      throw TrainingError.unlabelled(path)
    }
    return CachedExamples(features: try features(0..<rows.count), labels: labels)
  }

  package func close() { try? file.close() }
}

extension FeatureSource {
  fileprivate static let names = (
    base: "base", file: "base_file", fingerprint: "base_sha256", layer: "layer",
    pooling: "pooling", height: "image_height", width: "image_width",
    interpolation: "interpolation", preprocessing: "preprocessing", orientation: "orientation",
    fit: "fit", decoding: "decoding", precision: "precision"
  )

  fileprivate func write(to attributes: HDF5Attributes) throws {
    let names = Self.names
    for (name, text) in [
      (names.base, base), (names.file, baseFile), (names.fingerprint, baseFingerprint),
      (names.layer, layer), (names.pooling, pooling.rawValue),
      (names.interpolation, loader.interpolation.rawValue),
      (names.preprocessing, loader.preprocessing.rawValue),
      (names.orientation, loader.orientationText), (names.fit, loader.fit.rawValue),
      (names.decoding, loader.decodingText),
      (names.precision, precision.rawValue),
    ] {
      try attributes.set(name, string: text)
    }
    try attributes.set(names.height, integer: Int64(loader.height))
    try attributes.set(names.width, integer: Int64(loader.width))
  }

  fileprivate init(_ attributes: HDF5Attributes, path: String) throws {
    func text(_ name: String) throws -> String {
      guard let text = try attributes.string(name) else {
        throw TrainingError.notAFeatureFile(path, missing: "the attribute '\(name)'")
      }
      return text
    }
    func choice<T: RawRepresentable>(_ name: String, _: T.Type) throws -> T
    where T.RawValue == String {
      guard let value = T(rawValue: try text(name)) else {
        throw TrainingError.notAFeatureFile(path, missing: "a known '\(name)'")
      }
      return value
    }
    func size(_ name: String) throws -> Int {
      guard let value = try attributes.integer(name), value > 0, value < 100_000 else {
        throw TrainingError.notAFeatureFile(path, missing: "the attribute '\(name)'")
      }
      return Int(value)
    }
    let names = Self.names
    self.init(
      base: try text(names.base), baseFile: try text(names.file),
      baseFingerprint: try text(names.fingerprint), layer: try text(names.layer),
      pooling: try choice(names.pooling, FeaturePooling.self),
      loader: PhotoLoader(
        height: try size(names.height), width: try size(names.width),
        interpolation: try choice(names.interpolation, Interpolation.self),
        // Files of before these two were known are as without them.
        fit: try attributes.string(names.fit) == nil
          ? .squash : try choice(names.fit, FitMode.self),
        preprocessing: try choice(names.preprocessing, Preprocessing.self),
        ignoreOrientation: try text(names.orientation) == "ignored",
        fastDecode: try attributes.string(names.decoding) == "fast"),
      // Files that do not say were written when there was nothing else.
      precision: try attributes.contains(names.precision)
        ? try choice(names.precision, Precision.self) : .f32)
  }
}
