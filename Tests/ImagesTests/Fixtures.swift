import Foundation
import Images

/// The files that Tests/Reference/make_image_fixtures.py makes.
enum Fixtures {
  static let folder = Bundle.module.resourceURL!.appending(path: "Fixtures")

  static func path(_ name: String) -> String { folder.appending(path: name).path() }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  /// The names in one of the folders, without hidden ones.
  static func names(in name: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: path(name))
    return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }

  static func decoded(_ name: String) throws -> DecodedPicture {
    try DecodedPicture(bytes: bytes(name))
  }

  /// An `.rgb` file: width, height, samples.
  static func rgb(_ name: String) throws -> RGBImage {
    let data = try bytes(name)
    func size(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(data[offset + $1]) << (8 * $1) }
    }
    return RGBImage(width: size(0), height: size(4), pixels: Array(data[8...]))
  }

  /// Little-endian Float32 values.
  static func floats(_ name: String) throws -> [Float] {
    try bytes(name).withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
  }
}
