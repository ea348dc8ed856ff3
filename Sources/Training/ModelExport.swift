import Foundation
package import Images
import Layers
import ONNX
package import Weights

/// The formats that models are written in for other programs.
package enum ExportFormat: String, Sendable, CaseIterable {
  /// Keras's full model in HDF5.
  case kerasH5 = "keras-h5"
  /// Keras 3's archive.
  case keras
  /// Keras 3's weights alone.
  case weightsH5 = "weights-h5"
  case onnx
  case safetensors

  /// How a file's name ends; Keras goes by it.
  package var fileExtension: String {
    switch self {
    case .kerasH5: ".h5"
    case .keras: ".keras"
    case .weightsH5: ".weights.h5"
    case .onnx: ".onnx"
    case .safetensors: ".safetensors"
    }
  }

  /// Whether the name of a file is one by which others know the format.
  package func fits(_ path: String) -> Bool {
    guard path.hasSuffix(fileExtension) else { return false }
    return self != .kerasH5 || !path.hasSuffix(ExportFormat.weightsH5.fileExtension)
  }

  /// A name for what becomes of `model`, in the working folder.
  package func defaultPath(for model: String) -> String {
    var name = URL(filePath: model).lastPathComponent
    for known in [".weights.h5", ".h5", ".hdf5", ".keras", ".safetensors"]
    where name.hasSuffix(known) && name != known {
      name.removeLast(known.count)
      break
    }
    return name + fileExtension
  }
}

/// A model, read to be written in another format with all that belongs to it.
package struct ModelExport: Sendable {
  package private(set) var model: KerasModel
  /// What was made of a file of weights alone, in words; nil for a full model.
  package let base: String?

  /// Opens a full model, or a base that is known by its weights.
  ///
  /// - Parameter overrides: class names, preprocessing and scaling that are to go out with it in
  ///   place of its own, and the size of photos for a model of any.
  package init(_ path: String, overrides: ModelOverrides) throws {
    var model: KerasModel
    do {
      let inputShape = overrides.imageSize.map { [$0.height, $0.width, 3] }
      model = try KerasModel.read(path, inputShape: inputShape)
      base = nil
    } catch WeightsError.noConfiguration {
      let loaded = try BaseLoader.load(
        path, height: overrides.imageSize?.height, width: overrides.imageSize?.width)
      base = "\(loaded.summary), up to '\(loaded.layer)', \(loaded.report.summary)"
      model = Self.model(loaded)
    }
    let outputs = model.network.outputShape
    if let names = overrides.classNames ?? model.extras.classNames {
      guard outputs.count == 1, names.count == (outputs == [1] ? 2 : outputs[0]) else {
        throw TrainingError.wrongClassCount(path, names: names, outputs: outputs.last ?? 0)
      }
      model.extras.classNames = names
    }
    if let preprocessing = overrides.preprocessing {
      model.extras.preprocessing = preprocessing.rawValue
    }
    if model.network.inputShape.count == 3 {
      model.extras.imageSize = Array(model.network.inputShape.prefix(2))
    }
    self.model = model
  }

  private static func model(_ base: LoadedBase) -> KerasModel {
    var network = base.network
    // Weights alone say nothing of what is frozen.
    network.setTrainable(Set(network.nodes.indices))
    let extras = ModelExtras(
      preprocessing: base.preprocessing?.rawValue, interpolation: base.interpolation.rawValue,
      baseDescription: base.summary, version: ClassifierModel.version)
    return KerasModel(network: network, extras: extras, report: base.report)
  }

  package var preprocessing: Preprocessing? {
    model.extras.preprocessing.flatMap { Preprocessing(rawValue: $0) }
  }

  /// What of a model is not known, in words.
  package var unknown: [String] {
    (model.extras.classNames == nil && base == nil ? ["class names"] : [])
      + (preprocessing == nil ? ["preprocessing"] : [])
  }

  /// Writes the file beside `path` and then renames it; on an error nothing is left behind.
  ///
  /// - Parameter includesPreprocessing: whether an ONNX model takes photos of 0 to 255 and does
  ///   itself what must be done to them; needs `preprocessing`.
  package func write(
    _ format: ExportFormat, to path: String, type: NumberType, includesPreprocessing: Bool = false
  ) throws {
    let (network, extras) = (model.network, model.extras)
    if [.kerasH5, .keras, .weightsH5].contains(format) { try checkForKeras(network) }
    switch format {
    case .kerasH5: try KerasModel.write(network, to: path, extras: extras, type: type)
    case .keras: try KerasModel.writeArchive(network, to: path, extras: extras, type: type)
    case .weightsH5:
      try KerasModel.writeObjectWeights(network, to: path, extras: extras, type: type)
    case .onnx:
      var onnx = try onnx(includesPreprocessing: includesPreprocessing)
      onnx.numberType = type
      try onnx.write(network, to: path)
    case .safetensors:
      try SafetensorsWriter.write(network, to: path, extras: extras, type: type)
    }
  }

  /// Throws for a layer that Keras would not know.
  private func checkForKeras(_ network: Network) throws {
    for node in network.nodes where node.layer is LocalResponseNormalization {
      throw WeightsError.notInKeras(layer: node.name, className: node.layer.className)
    }
  }

  private func onnx(includesPreprocessing: Bool) throws -> ONNXModel {
    var (extras, onnx) = (model.extras, ONNXModel())
    let shape = model.network.inputShape
    let size = shape.count == 3 ? "\(shape[0]) x \(shape[1]) pixels, channels last" : "\(shape)"
    onnx.inputText = size
    if let preprocessing {
      onnx.inputText += ", RGB from 0 to 255"
      if includesPreprocessing {
        onnx.change = preprocessing.change
        extras.preprocessing = Preprocessing.none.rawValue
        onnx.metadata["tl_preprocessing_inside"] = preprocessing.rawValue
      } else {
        onnx.inputText += ", then '\(preprocessing.rawValue)': \(preprocessing.summary)"
      }
    }
    onnx.producer = ("tl", ClassifierModel.version)
    onnx.outputText = outputText
    onnx.metadata.merge(try extras.texts(with: model.network)) { _, last in last }
    return onnx
  }

  /// What the outputs mean.
  private var outputText: String {
    guard let names = model.extras.classNames else { return "\(model.network.outputShape)" }
    return names.count == 2 && model.network.outputShape == [1]
      ? "the probability of \(names[1]); that of \(names[0]) is what is left to 1"
      : "the probabilities of \(names.joined(separator: ", "))"
  }
}

extension Preprocessing {
  /// The same for a network's first operators.
  var change: PictureChange {
    let steps = steps
    return PictureChange(
      reversesChannels: steps.reversesChannels, divisor: steps.divisor, mean: steps.mean,
      deviation: steps.deviation)
  }
}
