package import Architectures
import Compute
import Foundation
package import Images
package import Layers
package import Weights

/// A pretrained base, filled from a file and cut off after the layer that is wanted.
package struct LoadedBase: Sendable {
  package let network: Network
  /// The architecture's name, such as `vgg16`, or that of the network in the file.
  package let name: String
  /// The weights file.
  package let path: String
  /// What is known of the weights, where they belong to a known architecture.
  package let card: WeightCard?
  package let report: LoadReport
  /// A digest of all tensors of the network.
  package let fingerprint: String

  /// The preprocessing that the weights expect, where it is known.
  package var preprocessing: Preprocessing? {
    card.flatMap { Preprocessing(rawValue: $0.preprocessing) }
  }
  /// How photos are scaled unless something else is asked for.
  package var interpolation: Interpolation {
    card.flatMap { Interpolation(rawValue: $0.defaults.interpolation) } ?? .nearest
  }
  /// The layer that the network ends with.
  package var layer: String { network.nodes[network.outputIndex].name }
  /// Such as `vgg16 from vgg16_notop.h5`.
  package var summary: String { "\(name) from \(URL(filePath: path).lastPathComponent)" }
}

/// Finds and opens bases.
package enum BaseLoader {
  /// Loads a base for pictures of the given size, or of the size that suits it.
  ///
  /// - Parameters:
  ///   - specifier: the path of a Keras file, or the name of a base whose file lies in one of the
  ///     folders of `WeightStore.standard`.
  ///   - layer: the layer to end with; the last before a classifier if nil.
  ///   - kernelOrder: how the file's kernels are laid out, if somebody knows better than the file.
  ///   - fingerprint: what the digest of the tensors must be, if known.
  ///   - mapped: whether large tensors may stay in the file, see `WeightLoader.load`.
  package static func load(
    _ specifier: String, height: Int? = nil, width: Int? = nil, layer: String? = nil,
    allowPartial: Bool = false, kernelOrder: KernelOrder? = nil, fingerprint: String? = nil,
    mapped: Bool = false
  ) throws -> LoadedBase {
    let path = try WeightStore.standard.file(for: specifier)
    let opened = try KerasFile(path, kernelOrder: kernelOrder)
    defer { opened.close() }
    let (stored, architecture) = identified(opened)
    let size = (architecture?.card.defaults ?? WeightDefaults()).photoSize
    var (network, report) = try explained(path) {
      try filled(
        stored, architecture, inputShape: [height ?? size, width ?? size, 3], layer: layer,
        allowPartial: allowPartial, mapped: mapped)
    }
    network.setTrainable([])
    let digest = TensorDigest.sha256(network)
    if let fingerprint, digest != fingerprint {
      throw TrainingError.baseChanged(path, expected: fingerprint, found: digest)
    }
    return LoadedBase(
      network: network, name: architecture?.name ?? network.name, path: path,
      card: architecture?.card, report: report, fingerprint: digest)
  }

  /// The file and the known architecture that it belongs to; where its layers have only places, as
  /// in many `.weights.h5`, with the architecture's names for them.
  static func identified(_ stored: KerasFile) -> (KerasFile, (any Architecture)?) {
    if let found = Architectures.identify(stored.storedLayers) { return (stored, found) }
    guard stored.isNameless, !stored.hasConfiguration else { return (stored, nil) }
    let shapes = stored.signature.map(\.shapes)
    let convolutions = shapes.count { $0.contains { $0.count == 4 } }
    let isDense = shapes.contains { $0.contains { $0.count == 2 } }
    // Shapes alone do not tell a few convolutions of LeNet from anybody's.
    guard convolutions > 4 else { return (stored, nil) }
    for candidate in Architectures.all {
      let size = candidate.card.inputSize
      // Some classifiers are one more convolution.
      let others = convolutions - candidate.convolutionNames.count
      guard others == 0 || others == 1,
        let network = try? candidate.network(
          inputShape: [size, size, 3], includesTop: isDense || others == 1),
        let named = stored.named(as: network),
        let found = Architectures.identify(named.storedLayers)
      else { continue }
      return (named, found)
    }
    return (stored, nil)
  }

  /// The network up to the layer that is wanted, which alone must be in the file.
  private static func filled(
    _ stored: KerasFile, _ architecture: (any Architecture)?, inputShape: [Int], layer: String?,
    allowPartial: Bool, mapped: Bool
  ) throws -> (Network, LoadReport) {
    guard let architecture else {
      guard stored.hasConfiguration else {
        throw TrainingError.unknownArchitecture(stored.path, holds: stored.contents)
      }
      return try stored.network(
        inputShape: inputShape, allowPartial: allowPartial, mapped: mapped
      ) { try ending($0, at: layer) }
    }
    let wantsTop = layer.map(architecture.topNames.contains) ?? false
    var network = try ending(
      architecture.network(inputShape: inputShape, includesTop: wantsTop), at: layer)
    let report = try WeightLoader.load(
      stored, into: &network, allowPartial: allowPartial, mapped: mapped)
    return (network, report)
  }

  /// The network up to the named layer, or to the last before a classifier.
  private static func ending(_ network: Network, at layer: String?) throws -> Network {
    guard let layer else { return network.ending(at: network.baseOutputIndex) }
    guard let index = network.index(named: layer) else {
      let names = network.nodes.map(\.name)
      let near = LayerSelection.near(layer, names).filter(names.contains)
      throw LayerError.noSuchLayer(layer, near: near)
    }
    return network.ending(at: index)
  }

  /// Puts the file and the way out to what other modules say.
  private static func explained<R>(_ path: String, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as LayerError {
      throw TrainingError.unusableLayers(path, error)
    } catch WeightsError.mismatch(let mismatch) {
      throw TrainingError.unfitBase(mismatch)
    }
  }
}

extension KerasFile {
  /// The layers as architectures are recognised by them.
  fileprivate var storedLayers: [StoredLayer] {
    signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) }
  }
}

extension Network {
  /// The network with its last picture averaged or maximised over height and width.
  package func pooled(_ pooling: FeaturePooling) throws -> Network {
    guard pooling != .none else { return self }
    guard outputShape.count == 3 else {
      throw TrainingError.noPooling(layer: nodes[outputIndex].name, shape: outputShape)
    }
    var network = self
    switch pooling {
    case .none: break
    case .average: try network.add(GlobalAveragePooling2D(name: "global_average_pooling2d"))
    case .max: try network.add(GlobalMaxPooling2D(name: "global_max_pooling2d"))
    }
    return network
  }
}
