import Foundation
import HDF5
import Weights

/// The numbers of heat maps, to be written to a file.
///
/// HDF5 holds `heatmaps` [n, height, width], `probabilities` [n, classes], `labels` (the class that
/// a map is about) and `paths`, and as attributes the class names, method and layer. JSON is a list
/// with one record a photo.
package struct RawHeatMaps: Sendable {
  private let classNames: [String]
  private let layer: String
  private let method: String
  private var paths: [String] = []
  private var maps: [HeatMap] = []

  package init(classNames: [String], layer: String, method: String) {
    (self.classNames, self.layer, self.method) = (classNames, layer, method)
  }

  /// Adds the map of one photo.
  package mutating func add(_ map: HeatMap, path: String) {
    maps.append(map)
    paths.append(path)
  }

  /// Whether a file of that name is written as HDF5, as JSON, or not at all (nil).
  package static func isHDF5(_ path: String) -> Bool? {
    switch URL(filePath: path).pathExtension.lowercased() {
    case "h5", "hdf5": true
    case "json": false
    default: nil
    }
  }

  /// Writes the file, as HDF5 unless its name ends with `.json`; an old one stays until the new one
  /// is complete.
  package func write(_ path: String) throws {
    let isHDF5 = Self.isHDF5(path) ?? true
    try AtomicFile.write(path) { path in
      if isHDF5 { try writeHDF5(path) } else { try json().write(to: URL(filePath: path)) }
    }
  }

  private func writeHDF5(_ path: String) throws {
    let file = try HDF5File.create(path)
    defer { try? file.close() }
    let root = try file.root
    let (height, width) = (maps.first?.height ?? 0, maps.first?.width ?? 0)
    let count = maps.count
    try root.createDataset("heatmaps", shape: [count, height, width], type: .float32)
      .write(maps.flatMap(\.values))
    try root.createDataset("probabilities", shape: [count, classNames.count], type: .float32)
      .write(maps.flatMap(\.probabilities))
    try root.createDataset("labels", shape: [count], type: .int64)
      .write(maps.map { Int64($0.label) })
    try root.createDataset("paths", shape: [count], type: .variableString())
      .writeStrings(paths)
    try root.attributes.set("class_names", strings: classNames)
    try root.attributes.set("layer", string: layer)
    try root.attributes.set("method", string: method)
  }

  private struct Record: Encodable {
    let path: String
    let label: String
    let probability: Float
    let probabilities: [String: Float]
    let layer: String
    let method: String
    let heatmap: [[Float]]
  }

  private func json() throws -> Data {
    let records = zip(paths, maps).map { path, map in
      Record(
        path: path, label: classNames[map.label], probability: map.probability,
        probabilities: Dictionary(
          zip(classNames, map.probabilities), uniquingKeysWith: { first, _ in first }),
        layer: layer, method: method,
        heatmap: (0..<map.height).map {
          Array(map.values[$0 * map.width..<($0 + 1) * map.width])
        })
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(records)
  }
}
