import Compute
import Foundation
import HDF5
import Weights

/// The HDF5 file of a `TrainingCheckpoint`.
///
/// ```
/// /state                      string, JSON: all but the tensors
/// /order                      int64 [examples], the order of the epoch under way
/// /parameters/LAYER/TENSOR    float32
/// /best/LAYER/TENSOR          float32, of the best epoch
/// /averages/LAYER/TENSOR      float32, moving averages
/// /slots/LAYER/TENSOR/SLOT    float32, what the optimizer remembers
/// ```
///
/// Behind the end of the HDF5 file, where its readers do not look, stands the SHA-256 of all bytes
/// before, so that a damaged file is known before anything trusts it.
package enum CheckpointFile {
  private static let format = 1
  private static let mark = Data("\nSHA-256 of all before: ".utf8)
  private static let trailerLength = mark.count + 64 + 1

  /// Writes a checkpoint; an old one stays until the new one is whole and on the disk.
  package static func write(_ checkpoint: TrainingCheckpoint, to path: String) throws {
    try AtomicFile.write(path) { place in
      try writeHDF5(checkpoint, place)
      let digest = try FileDigest.sha256(place)
      let file = try FileHandle(forUpdating: URL(filePath: place))
      defer { try? file.close() }
      try file.seekToEnd()
      try file.write(contentsOf: mark + Data("\(digest)\n".utf8))
    }
  }

  /// Reads a checkpoint; throws `CheckpointError` where it is not whole.
  package static func read(_ path: String) throws -> TrainingCheckpoint {
    try requireWhole(path)
    do {
      return try readHDF5(path)
    } catch let error as HDF5Error {
      throw CheckpointError.cannotRead(path, reason: error.description)
    } catch let error as DecodingError {
      throw CheckpointError.cannotRead(path, reason: "it is of another version: \(error)")
    }
  }

  private static func requireWhole(_ path: String) throws {
    let file: FileHandle
    let size: UInt64
    do {
      file = try FileHandle(forReadingFrom: URL(filePath: path))
      size = try file.seekToEnd()
    } catch {
      throw CheckpointError.cannotRead(path, reason: "there is no such file to be read")
    }
    defer { try? file.close() }
    guard size > trailerLength else {
      throw CheckpointError.cannotRead(path, reason: "it is cut short: found \(size) bytes")
    }
    try file.seek(toOffset: size - UInt64(trailerLength))
    let trailer = try file.readToEnd() ?? Data()
    guard trailer.starts(with: mark) else {
      throw CheckpointError.cannotRead(path, reason: "it ends without its checksum")
    }
    let expected = String(decoding: trailer.dropFirst(mark.count).dropLast(), as: UTF8.self)
    let found = try FileDigest.sha256(path, bytes: Int(size) - trailerLength)
    guard found == expected else {
      throw CheckpointError.damaged(path, expected: expected, found: found)
    }
  }

  private static func writeHDF5(_ checkpoint: TrainingCheckpoint, _ path: String) throws {
    let file = try HDF5File.create(path)
    do {
      let root = try file.root
      let header = CheckpointHeader(checkpoint, format: format)
      try root.createDataset("state", shape: [], type: .variableString())
        .writeStrings([String(decoding: try CheckpointHeader.encoder.encode(header), as: UTF8.self)]
        )
      let state = checkpoint.state
      let order = state.position?.order ?? []
      try root.createDataset("order", shape: [order.count], type: .int64)
        .write(order.map(Int64.init))
      try write(state.parameters, "parameters", root)
      try write(state.best?.parameters ?? [], "best", root)
      try write(state.averages, "averages", root)
      for slot in state.slots { try write(slot.tensors, "slots/\(slot.parameter)", root) }
    } catch {
      try? file.close()
      throw error
    }
    try file.close()
  }

  private static func write(
    _ tensors: [TrainingState.NamedTensor], _ place: String, _ root: HDF5Group
  ) throws {
    for named in tensors {
      try root.createDataset("\(place)/\(named.name)", shape: named.tensor.shape, type: .float32)
        .write(named.tensor.scalars)
    }
  }

  private static func readHDF5(_ path: String) throws -> TrainingCheckpoint {
    let file = try HDF5File.open(path)
    defer { try? file.close() }
    let root = try file.root
    let text = try root.dataset("state").readStrings().first ?? ""
    let header = try JSONDecoder.checkpoint.decode(CheckpointHeader.self, from: Data(text.utf8))
    guard header.format == format else {
      throw CheckpointError.cannotRead(
        path, reason: "expected format \(format), found \(header.format)")
    }
    func tensors(_ names: [String], _ place: String) throws -> [TrainingState.NamedTensor] {
      try names.map { name in
        let dataset = try root.dataset("\(place)/\(name)")
        return .init(name, Tensor(shape: dataset.shape, scalars: try dataset.readFloats()))
      }
    }
    let order = try root.dataset("order").readIntegers().map { Int($0) }
    return try header.checkpoint(order: order, tensors: tensors)
  }
}
