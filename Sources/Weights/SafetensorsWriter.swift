package import Compute
internal import Foundation
package import Layers

/// Writes tensors as a safetensors file: the header's length in 8 bytes, a header in JSON, and the
/// numbers of all tensors one behind the other.
///
/// Tensors have Keras's names and layout: `vgg16/block1_conv1/kernel` is `[height, width, in,
/// out]`. The metadata holds the model's configuration and what else `tl` keeps in models.
package enum SafetensorsWriter {
  /// The file is written beside `path` and then renamed.
  package static func write(
    _ network: Network, to path: String, extras: ModelExtras, type: NumberType = .float32
  ) throws {
    try type.check(network)
    var metadata = try extras.texts(with: network)
    metadata["format"] = "keras"
    let tensors = network.namedTensors
    let header = try header(
      tensors.map { ($0.name, $0.value.shape) }, metadata: metadata, type: type)
    try AtomicFile.write(path) { temporary in
      try FileWriting.write(temporary, path: path) { file in
        try file.write(contentsOf: header)
        for (_, tensor) in tensors {
          let piece = 1 << 20
          for start in stride(from: 0, to: tensor.count, by: piece) {
            let range = start..<min(start + piece, tensor.count)
            try file.write(contentsOf: type.littleEndianBytes(of: tensor, range))
          }
        }
      }
    }
  }

  /// The length and the JSON, padded with spaces so that the numbers start at a multiple of 8.
  private static func header(
    _ tensors: [(name: String, shape: [Int])], metadata: [String: String], type: NumberType
  ) throws -> Data {
    var entries: [String: JSONValue] = ["__metadata__": .object(metadata.mapValues { .string($0) })]
    var end = 0
    for (name, shape) in tensors {
      let start = end
      end += shape.reduce(1, *) * type.size
      entries[name] = [
        "dtype": type == .float32 ? "F32" : "F16",
        "shape": .array(shape.map { .integer($0) }),
        "data_offsets": [.integer(start), .integer(end)],
      ]
    }
    var text = Data(try JSONText.text(.object(entries)).utf8)
    text.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8))
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return Data(length) + text
  }
}

extension Network {
  /// All tensors in the network's order, named `<nested model>/<layer>/<parameter>`; those of a
  /// layer that is used several times once.
  package var namedTensors: [(name: String, value: Tensor)] {
    var seen = Set<String>()
    return nodes.flatMap { node in
      node.layer.parameters.map { parameter in
        ((node.scope + [node.name, parameter.name]).joined(separator: "/"), parameter.value)
      }
    }.filter { seen.insert($0.0).inserted }
  }
}
