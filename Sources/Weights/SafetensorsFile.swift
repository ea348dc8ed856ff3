internal import Compute
internal import Foundation
internal import Layers

/// A file of the safetensors format: eight bytes with the length of a JSON header, the header, and
/// the numbers (https://github.com/huggingface/safetensors).
///
/// The header names each tensor's type, shape and place; nothing in it is believed that the file's
/// length does not bear out.
final class SafetensorsFile: Sendable {
  /// One tensor of the header.
  struct Entry: Sendable {
    let name: String
    /// As the header writes it, such as `F32`.
    let type: String
    let shape: [Int]
    /// The bytes, counted from the end of the header.
    let range: Range<Int>

    /// How its numbers are stored, nil where they are no floats.
    var numbers: StoredNumbers? { Self.floats[type] }

    private static let floats: [String: StoredNumbers] = [
      "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
    ]
    fileprivate static let sizes = [
      "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2,
      "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
    ]
  }

  let path: String
  /// In the order of their bytes.
  let entries: [Entry]
  /// What `__metadata__` holds.
  let metadata: [String: String]
  private let dataStart: Int

  private static let mostHeader = 100_000_000

  /// Reads the header; throws `WeightsError`.
  init(_ path: String) throws {
    self.path = path
    let size = try FileDigest.size(path)
    let start = try FileDigest.start(of: path, bytes: 8)
    let length = start.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard start.count == 8, length <= Self.mostHeader, Int(length) <= size - 8 else {
      throw WeightsError.badSafetensors(
        path: path, "a header of \(length) bytes in a file of \(size)")
    }
    dataStart = 8 + Int(length)
    let header = try FileDigest.bytes(path, 8..<dataStart)
    guard let fields = try? JSONDecoder().decode(JSONValue.self, from: Data(header)).object else {
      throw WeightsError.badSafetensors(path: path, "a header that is no JSON object")
    }
    metadata = (fields["__metadata__"]?.object ?? [:]).compactMapValues(\.string)
    var entries: [Entry] = []
    for (name, value) in fields where name != "__metadata__" {
      entries.append(try Self.entry(name, value, path))
    }
    self.entries = entries.sorted {
      ($0.range.lowerBound, $0.name) < ($1.range.lowerBound, $1.name)
    }
    try check(dataSize: size - dataStart)
  }

  /// The numbers of a tensor.
  func read(_ entry: Entry) throws -> [Float] {
    guard let numbers = entry.numbers else {
      throw WeightsError.badSafetensors(
        path: path, "'\(entry.name)' with numbers of type '\(entry.type)' where floats are wanted")
    }
    let range = dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound
    return numbers.floats(try FileDigest.bytes(path, range))
  }

  private static func entry(_ name: String, _ value: JSONValue, _ path: String) throws -> Entry {
    let offsets = value["data_offsets"]?.array?.compactMap(\.int) ?? []
    let lengths = value["shape"]?.array
    let shape = lengths?.compactMap(\.int) ?? []
    guard let type = value["dtype"]?.string, offsets.count == 2, shape.count == lengths?.count,
      shape.allSatisfy({ $0 >= 0 }), offsets[0] >= 0, offsets[0] <= offsets[1]
    else {
      throw WeightsError.badSafetensors(
        path: path, "'\(name)' without usable 'dtype', 'shape' and 'data_offsets'")
    }
    guard let size = Entry.sizes[type] else {
      throw WeightsError.badSafetensors(path: path, "'\(name)' of the unknown type '\(type)'")
    }
    var bytes = size
    for length in shape {
      let (product, isTooLarge) = bytes.multipliedReportingOverflow(by: length)
      guard !isTooLarge else {
        throw WeightsError.badSafetensors(path: path, "'\(name)' of the absurd shape \(shape)")
      }
      bytes = product
    }
    guard bytes == offsets[1] - offsets[0] else {
      throw WeightsError.badSafetensors(
        path: path,
        "'\(name)' of \(bytes) bytes by its shape \(shape) in \(offsets[1] - offsets[0])")
    }
    return Entry(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// The format wants the tensors to fill the file, without gaps and without sharing bytes.
  private func check(dataSize: Int) throws {
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw WeightsError.badSafetensors(
          path: path, "'\(entry.name)' at byte \(entry.range.lowerBound) where \(end) is due")
      }
      end = entry.range.upperBound
    }
    guard end == dataSize else {
      throw WeightsError.badSafetensors(
        path: path, "tensors of \(end) bytes and \(dataSize) bytes for them")
    }
  }
}

extension SafetensorsFile {
  /// Whether names and layouts are Keras's, as `tl export` writes them: `vgg16/block1_conv1/kernel`.
  var isKeras: Bool { metadata["format"] == "keras" }

  /// The layers of a file by `tl export`.
  func kerasLayers() -> [StoredTensors] {
    var paths: [[String]] = []
    var tensors: [[String]: [StoredTensor]] = [:]
    for entry in entries {
      let parts = entry.name.split(separator: "/").map { String($0) }
      let owner = Array(parts.dropLast())
      if tensors[owner] == nil { paths.append(owner) }
      tensors[owner, default: []].append(StoredTensor(self, entry, parameter: parts.last))
    }
    return paths.map { path in
      StoredTensors(
        scope: Array(path.dropLast()), name: path.last ?? "", tensors: tensors[path] ?? [])
    }
  }

  /// The layers: what PyTorch calls `layer1.0.conv1.weight` is `kernel` of `layer1.0.conv1`.
  func layers() -> [StoredTensors] {
    var names: [String] = []
    var tensors: [String: [Entry]] = [:]
    // Names are sorted as people count, so that `features.10` follows `features.2`.
    let sorted = entries.sorted { $0.name.compare($1.name, options: .numeric) == .orderedAscending }
    for entry in sorted {
      // How often a normalisation was trained is nothing that a network computes with.
      guard !entry.name.hasSuffix("num_batches_tracked") else { continue }
      let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false)
      let owner = parts.count > 1 ? parts.dropLast().joined(separator: ".") : entry.name
      if tensors[owner] == nil { names.append(owner) }
      tensors[owner, default: []].append(entry)
    }
    return names.map { name in
      let own = tensors[name] ?? []
      let isNormalization = own.contains { $0.name.hasSuffix("running_mean") }
      return StoredTensors(
        name: name,
        tensors: own.map { entry in
          StoredTensor(
            self, entry, parameter: Self.parameter(entry.name, isNormalization: isNormalization))
        }.sorted { Self.rank($0.parameter) < Self.rank($1.parameter) })
    }
  }

  private static func parameter(_ name: String, isNormalization: Bool) -> String? {
    switch name.split(separator: ".").last {
    case "weight": isNormalization ? "gamma" : "kernel"
    case "bias": isNormalization ? "beta" : "bias"
    case "running_mean": "moving_mean"
    case "running_var": "moving_variance"
    default: nil
    }
  }

  /// The order in which Keras has a layer's tensors.
  private static func rank(_ parameter: String?) -> Int {
    ["kernel", "gamma", "bias", "beta", "moving_mean", "moving_variance"]
      .firstIndex { $0 == parameter } ?? 6
  }
}
