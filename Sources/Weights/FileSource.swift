internal import Archives
internal import Foundation
internal import HDF5
internal import Layers

/// What a path leads to, opened: whatever of these the file has.
struct FileSource {
  /// The file that has the bytes: the archive, or the weights in a folder.
  var path: String
  var hdf5: HDF5File?
  var safetensors: SafetensorsFile?
  var isArchive = false
  /// What the archive says of its model; for HDF5 files that stands in attributes.
  var configuration: JSONValue?
  var kerasVersion: String?

  /// Members of a `.keras` archive, and files of the same folder unpacked.
  private static let configurationName = "config.json"
  private static let metadataName = "metadata.json"
  private static let weightsName = "model.weights.h5"

  /// Opens a file of any kind that can hold weights; looks at the content, never at the name.
  static func open(_ path: String) throws -> FileSource {
    if isFolder(path) { return try folder(path) }
    let start = (try? FileDigest.start(of: path, bytes: 16)) ?? []
    if start.starts(with: [0x50, 0x4B]) { return try archive(path) }
    if start.count > 8, start[8] == UInt8(ascii: "{") {
      return FileSource(path: path, safetensors: try SafetensorsFile(path))
    }
    // A pickle of protocol 2 and up, as torch.save wrote before PyTorch 1.6.
    if start.count > 2, start[0] == 0x80, (2...5).contains(start[1]) {
      throw WeightsError.torchFile(path: path)
    }
    // The version of the format comes first in an ONNX model, which alone would be no proof.
    if start.first == 0x08, path.hasSuffix(".onnx") { throw WeightsError.onnxModel(path: path) }
    try FileCheck.check(path)
    return FileSource(path: path, hdf5: try HDF5File.open(path, followsSoftLinks: false))
  }

  private static func isFolder(_ path: String) -> Bool {
    (try? URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
  }

  /// An unpacked `.keras` archive; other folders are refused as HDF5 files.
  private static func folder(_ path: String) throws -> FileSource {
    let files = FileManager.default
    guard files.fileExists(atPath: path + "/" + configurationName) else {
      return FileSource(path: path, hdf5: try HDF5File.open(path))
    }
    func bytes(_ name: String) throws -> [UInt8] {
      let bytes = try FileDigest.start(of: path + "/" + name, bytes: mostJSON + 1)
      guard bytes.count <= mostJSON else {
        throw WeightsError.cannotRead(
          path: path + "/" + name, reason: "expected at most \(mostJSON) bytes")
      }
      return bytes
    }
    var source = FileSource(path: path + "/" + weightsName, isArchive: true)
    source.configuration = try JSONText.value(
      bytes(configurationName), member: configurationName, path: path)
    if files.fileExists(atPath: path + "/" + metadataName) {
      source.kerasVersion = try version(bytes(metadataName), path)
    }
    try FileCheck.check(path + "/" + weightsName)
    source.hdf5 = try HDF5File.open(path + "/" + weightsName, followsSoftLinks: false)
    return source
  }

  private static func archive(_ path: String) throws -> FileSource {
    let archive = try ZipArchive(path)
    let names = archive.members.map(\.name)
    if names.contains(where: { $0.hasSuffix("/data.pkl") }) {
      throw WeightsError.torchFile(path: path)
    }
    if names.contains("model.weights.npz"), !names.contains(weightsName) {
      throw WeightsError.unsupportedModel(
        "weights in NumPy's format, 'model.weights.npz'", path: path)
    }
    var source = FileSource(path: path, isArchive: true)
    source.configuration = try JSONText.value(
      archive.read(configurationName, limit: mostJSON), member: configurationName, path: path)
    source.kerasVersion = try version(archive.read(metadataName, limit: mostJSON), path)
    source.hdf5 = try unpacked(archive, path)
    return source
  }

  /// The weights of an archive, unpacked to a file that is gone as soon as it is open.
  private static func unpacked(_ archive: ZipArchive, _ path: String) throws -> HDF5File {
    let temporary = FileManager.default.temporaryDirectory
      .appending(path: "tl-\(UUID().uuidString).h5").path
    defer { try? FileManager.default.removeItem(atPath: temporary) }
    try archive.extract(weightsName, to: temporary)
    let name = path + ":" + weightsName
    try FileCheck.check(temporary, origin: path, called: name)
    return try HDF5File.open(temporary, calledIn: name, followsSoftLinks: false)
  }

  private static func version(_ metadata: [UInt8], _ path: String) throws -> String? {
    try JSONText.value(metadata, member: metadataName, path: path)["keras_version"]?.string
  }

  /// Configurations of the largest published models have less than 2 MB.
  private static let mostJSON = 64 << 20
}
