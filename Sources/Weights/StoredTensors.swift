internal import Compute
internal import HDF5

/// One tensor of a layer as a file holds it; its numbers are read on demand.
package struct StoredTensor: Sendable {
  /// The parameter's short name (`kernel`, `bias`, `gamma`, ...), nil where the file's name for it
  /// says nothing.
  package let parameter: String?
  /// The dataset's absolute path in the file.
  package let path: String
  package let shape: [Int]
  /// What its numbers are, such as `float32` or `bfloat16`.
  package let type: String
  private let source: Source

  private enum Source: Sendable {
    case dataset(HDF5Dataset)
    /// A dataset of opaque pairs of bytes that Keras marks as bfloat16.
    case bfloat16(HDF5Dataset)
    case safetensors(SafetensorsFile, SafetensorsFile.Entry)
  }

  init(_ dataset: HDF5Dataset, parameter: String?) throws {
    self.parameter = parameter
    path = dataset.name
    shape = dataset.shape
    let isMarked = try dataset.attributes.contains("dtype")
    if isMarked, try dataset.attributes.string("dtype") == "bfloat16" {
      type = "bfloat16"
      source = .bfloat16(dataset)
    } else {
      type = "\(dataset.elementType)"
      source = .dataset(dataset)
    }
  }

  init(_ file: SafetensorsFile, _ entry: SafetensorsFile.Entry, parameter: String?) {
    self.parameter = parameter
    (path, shape) = (entry.name, entry.shape)
    type = entry.numbers.map { "\($0)" } ?? entry.type
    source = .safetensors(file, entry)
  }

  /// Bytes from which it pays to map a tensor.
  private static let leastMapped = 1 << 18

  /// The tensor as Float32 whatever the file's type is.
  ///
  /// Throws `HDF5Error`, and `WeightsError.notFinite` for NaN and infinity.
  ///
  /// - Parameter mapped: whether its numbers may stay in the file, where they can.
  func read(file: String, mapped: Bool) throws -> Tensor {
    let tensor = try (mapped ? lent() : nil) ?? Tensor(shape: shape, scalars: numbers())
    if let index = tensor.firstNotFinite {
      throw WeightsError.notFinite(
        tensor: path, path: file, value: "\(tensor.scalars[index])", index: index)
    }
    return tensor
  }

  private func lent() throws -> Tensor? {
    guard case .dataset(let dataset) = source, 4 * shape.reduce(1, *) >= Self.leastMapped,
      let mapping = try dataset.mapFloats()
    else { return nil }
    return unsafe Tensor(shape: shape, lent: LentNumbers(mapping.floats) { mapping.letGo() })
  }

  private func numbers() throws -> [Float] {
    switch source {
    case .dataset(let dataset): try dataset.readFloats()
    case .bfloat16(let dataset):
      // Whoever has a type for it needs no opaque bytes.
      try dataset.elementType.isFloat
        ? dataset.readFloats() : dataset.readOpaque16().map(StoredNumbers.bfloat16)
    case .safetensors(let file, let entry): try file.read(entry)
    }
  }
}

/// The tensors that a file holds for one layer, in the file's order.
package struct StoredTensors: Sendable {
  /// The nested models around the layer as far as the file tells, outermost first.
  package let scope: [String]
  /// The layer's name; where the file has none (older `.weights.h5`), its place in the file.
  package let name: String
  /// Another name that the tensors carry, as after renaming a layer.
  package let alias: String?
  /// Whether `name` is only a place such as `conv2d_3`, the fourth Conv2D.
  package let isNameless: Bool
  package let tensors: [StoredTensor]

  init(
    scope: [String] = [], name: String, alias: String? = nil, isNameless: Bool = false,
    tensors: [StoredTensor]
  ) {
    self.scope = scope
    self.name = name
    self.alias = alias
    self.isNameless = isNameless
    self.tensors = tensors
  }

  /// The same tensors as those of a layer whose name is known.
  func named(_ name: String, scope: [String]) -> StoredTensors {
    StoredTensors(scope: scope, name: name, tensors: tensors)
  }

  /// The name with its scope, such as `vgg16/block1_conv1`.
  package var path: String { (scope + [name]).joined(separator: "/") }
}

/// What a file's name of a tensor says: whose it is, and which.
struct TensorName: Equatable {
  /// What stands before the parameter's name: `vgg16/block1_conv1`; empty if nothing does.
  let owner: String
  let parameter: String?

  /// Understands `block1_conv1_W_1:0` (Keras 1), `block1_conv1/kernel:0` (Keras 2) and
  /// `block1_conv1/kernel` (Keras 3).
  init(_ text: String) {
    var parts = Self.withoutOutputNumber(text).split(separator: "/").map { String($0) }
    let last = parts.popLast() ?? ""
    let plain = Self.withoutCounter(last)
    if Self.known.contains(last) || Self.known.contains(plain) {
      parameter = Self.known.contains(last) ? last : plain
    } else if let (owner, name) = Self.keras1(plain) ?? Self.keras1(last) {
      parts.append(owner)
      parameter = name
    } else {
      parameter = nil
    }
    owner = parts.joined(separator: "/")
  }

  /// The short names that the layers of Keras 2 and 3 give to their tensors.
  private static let known: Set<String> = [
    "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "depthwise_kernel",
    "pointwise_kernel", "recurrent_kernel", "embeddings", "alpha",
  ]

  private static let keras1Names = [
    "W": "kernel", "b": "bias", "gamma": "gamma", "beta": "beta",
    // Keras 1 says std and stores the variance.
    "running_mean": "moving_mean", "running_std": "moving_variance",
  ]

  private static func keras1(_ text: String) -> (owner: String, parameter: String)? {
    for (suffix, name) in keras1Names where text.hasSuffix("_" + suffix) {
      let owner = text.dropLast(suffix.count + 1)
      if !owner.isEmpty { return (String(owner), name) }
    }
    return nil
  }

  /// TensorFlow numbers the outputs of an operation: `kernel:0`.
  private static func withoutOutputNumber(_ text: String) -> Substring {
    guard let colon = text.lastIndex(of: ":"), isNumber(text[text.index(after: colon)...]) else {
      return text[...]
    }
    return text[..<colon]
  }

  /// TensorFlow numbers equal names: `kernel_1`.
  static func withoutCounter(_ text: String) -> String {
    guard let bar = text.lastIndex(of: "_"), isNumber(text[text.index(after: bar)...]) else {
      return text
    }
    return String(text[..<bar])
  }

  private static func isNumber(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
  }
}
