package import HDF5
package import Layers

/// A file with weights, opened for reading: Keras's HDF5 files and archives, or safetensors.
///
///     let file = try KerasFile("vgg16_notop.h5")
///     defer { file.close() }
///     print(file.contents)
package final class KerasFile: Sendable {
  /// Which of the layouts a file has.
  package enum Format: Sendable, Equatable {
    /// A group a layer with `layer_names`: weights alone.
    case legacyWeights
    /// The same below `model_weights`, with the model's configuration.
    case fullModel
    /// Keras 3's `.weights.h5`.
    case objectWeights
    /// The same in a `.keras` archive, or in such an archive's folder, with the configuration.
    case archive
    /// Before Keras 1.1: `layer_0`, `layer_1`, ... without names.
    case unnamedLayers
    /// Tensors by PyTorch's names.
    case safetensors
    /// Anything else in HDF5.
    case notKeras
  }

  package let path: String
  package let format: Format
  /// As the file says; Keras before 1.2 says nothing.
  package let kerasVersion: String?
  /// Such as `tensorflow` or `theano`.
  package let backend: String?
  /// What `model_config` or an archive's `config.json` holds.
  package let configuration: JSONValue?
  /// What `training_config` holds.
  package let trainingConfiguration: JSONValue?
  /// Whether an optimizer's state is there.
  package let hasOptimizerState: Bool
  /// Every layer with a place in the file, in the file's order; nested models are laid out flat.
  package let layers: [StoredTensors]
  /// How its kernels are laid out, and how that is known.
  package let kernels: KernelDecision
  /// Whether tensors have PyTorch's names and layouts.
  let isTorch: Bool
  /// Whether its counters are those of TensorFlow 2.12 and 2.13.
  let countsTwice: Bool
  /// The open HDF5 file, to list it and to read attributes that Keras does not know; nil for
  /// safetensors.
  package let file: HDF5File?
  /// What a safetensors file says of itself.
  package let metadata: [String: String]

  /// Opens a file of any of the formats; throws only where it cannot be read.
  ///
  /// - Parameter kernelOrder: how its kernels are laid out, if somebody knows better than the file.
  package convenience init(_ path: String, kernelOrder: KernelOrder? = nil) throws {
    let source = try FileSource.open(path)
    if let file = source.safetensors {
      try self.init(path, safetensors: file, kernelOrder)
      return
    }
    do {
      try self.init(path, source, kernelOrder)
    } catch {
      try? source.hdf5?.close()
      throw error
    }
  }

  private init(_ path: String, safetensors: SafetensorsFile, _ order: KernelOrder?) throws {
    self.path = path
    format = .safetensors
    isTorch = !safetensors.isKeras
    layers = isTorch ? safetensors.layers() : safetensors.kerasLayers()
    kernels =
      order.map { KernelDecision(given: $0) }
      ?? KernelDecision(KernelOrder(isTorch ? .oihw : .hwio))
    metadata = safetensors.metadata
    configuration = try JSONText.value(metadata, ModelExtras.configurationName, path: path)
    kerasVersion = metadata["keras_version"]
    (backend, trainingConfiguration) = (nil, nil)
    (hasOptimizerState, countsTwice, file) = (false, false, nil)
  }

  private init(_ path: String, _ source: FileSource, _ order: KernelOrder?) throws {
    guard let file = source.hdf5 else { throw WeightsError.notKeras(path: path, holds: "nothing") }
    let root = try file.root
    let found = try Self.format(of: root)
    let weights = found.weights
    func text(_ name: String) throws -> String? {
      try root.attributes.string(name) ?? weights.attributes.string(name)
    }
    let format = source.isArchive ? Format.archive : found.format
    let backend = try text("backend")
    let configuration =
      try source.configuration ?? JSONText.attribute("model_config", of: root, path: path)
      ?? JSONText.attribute(ModelExtras.configurationName, of: root, path: path)
    let countsTwice = try root.contains(ObjectLayout.containers[1])
    var layers = try Self.layers(of: weights, found.format)
    if let configuration, layers.contains(where: \.isNameless) {
      layers = try Self.named(layers, by: configuration, countsTwice: countsTwice, path: path)
    }
    try Self.requirePlausible(layers, file, size: FileDigest.size(source.path))
    (self.path, self.format, self.layers, self.file) = (path, format, layers, file)
    (self.backend, self.configuration, self.countsTwice) = (backend, configuration, countsTwice)
    kerasVersion = try source.kerasVersion ?? text("keras_version")
    trainingConfiguration =
      try source.configuration?["compile_config"]
      ?? JSONText.attribute("training_config", of: root, path: path)
    hasOptimizerState = try Self.hasOptimizerState(root)
    kernels =
      order.map { KernelDecision(given: $0) }
      ?? Self.kernels(of: layers, found.format, backend: backend, path: path)
    (metadata, isTorch) = ([:], false)
  }

  /// The same file with other names for its layers.
  init(_ other: KerasFile, layers: [StoredTensors]) {
    (path, format, self.layers, file) = (other.path, other.format, layers, other.file)
    (kerasVersion, backend, kernels) = (other.kerasVersion, other.backend, other.kernels)
    (configuration, trainingConfiguration) = (other.configuration, other.trainingConfiguration)
    (hasOptimizerState, countsTwice) = (other.hasOptimizerState, other.countsTwice)
    (metadata, isTorch) = (other.metadata, other.isTorch)
  }

  /// Closes the file; tensors can no longer be read.
  package func close() { try? file?.close() }

  /// Whether the file says how its network is built.
  package var hasConfiguration: Bool { configuration != nil }

  /// The layers with tensors and the tensors' shapes, to recognise an architecture by.
  package var signature: [(layer: String, shapes: [[Int]])] {
    layers.filter { !$0.tensors.isEmpty }.map { layer in
      (layer.name, layer.tensors.map { shape(of: $0) })
    }
  }

  /// A tensor's shape in Keras 2's order of axes.
  private func shape(of tensor: StoredTensor) -> [Int] {
    let isTransposed = isTorch && tensor.shape.count == 2
    return isTransposed ? tensor.shape.reversed() : kernels.order.shape(of: tensor.shape)
  }

  /// Only Keras 1 and 2 with Theano had other orders than Keras 3.
  private static func kernels(
    of layers: [StoredTensors], _ format: Format, backend: String?, path: String
  ) -> KernelDecision {
    switch format {
    case .legacyWeights, .fullModel, .unnamedLayers:
      KernelDecision(
        layers: layers, backend: backend,
        fileName: path.split(separator: "/").last.map { String($0) } ?? path)
    default: KernelDecision(KernelOrder(.hwio))
    }
  }
}
