// Weights reads and writes Keras's HDF5 files: weights alone in every spelling since Keras 1, and
// full models, which become a `Network` and back; Keras 3's zip archives, and safetensors. Tensors
// are matched by names and shapes, never by luck; pickled code (Lambda layers, PyTorch's `.pth`) is
// refused.
package import Layers

/// What can be wrong with a Keras file, or with a network that is to become one.
package enum WeightsError: Error, Sendable, Equatable {
  /// An HDF5 file that Keras did not write.
  case notKeras(path: String, holds: String)
  /// A file of torch.save, which is pickled code.
  case torchFile(path: String)
  /// An ONNX model, which is written and not read.
  case onnxModel(path: String)
  /// A file that starts as safetensors do and does not go on so.
  case badSafetensors(path: String, String)
  /// Weights alone where a full model is needed.
  case noConfiguration(path: String, holds: String)
  /// An attribute with JSON that cannot be read.
  case badJSON(attribute: String, path: String, reason: String)
  /// A configuration that cannot be a Keras model's.
  case badConfiguration(String, path: String)
  /// A model of a kind that a `Network` cannot be.
  case unsupportedModel(String, path: String)
  /// A model with layers that are unknown or do not fit together.
  case unusableLayers(LayerError, path: String)
  /// A model for pictures of any size, whose size nobody gave.
  case inputShapeNeeded(path: String, found: String)
  /// A given input shape that the model cannot take.
  case wrongInputShape(path: String, expected: String, found: [Int])
  /// Tensors that are missing or do not fit.
  case mismatch(LoadMismatch)
  /// NaN or infinity in a tensor.
  case notFinite(tensor: String, path: String, value: String, index: Int)
  /// A number that a file's type cannot hold.
  case cannotStore(String, value: String, type: String)
  /// A layer of a class that Keras does not have.
  case notInKeras(layer: String, className: String)
  /// Layers that cannot be written as a nested model.
  case cannotNest(scope: String, reason: String)
  /// The operating system refused to write.
  case cannotWrite(path: String, reason: String)
  /// A file on which libhdf5 crashes or never ends.
  case damaged(path: String, reason: String)
  /// The operating system refused to read.
  case cannotRead(path: String, reason: String)
}

extension WeightsError: CustomStringConvertible {
  /// One line: what failed, what was expected and found, and where.
  package var description: String {
    switch self {
    case .notKeras(let path, let holds):
      "cannot use '\(path)': expected a Keras file with 'layer_names', found \(holds)"
    case .torchFile(let path):
      "cannot use '\(path)': expected HDF5, a '.keras' archive or safetensors, found a file of "
        + "torch.save, whose reading would run code"
    case .onnxModel(let path):
      "cannot use '\(path)': expected HDF5, a '.keras' archive or safetensors, found an ONNX model, "
        + "which is written and not read"
    case .badSafetensors(let path, let what):
      "cannot read '\(path)': expected safetensors, found \(what)"
    case .noConfiguration(let path, let holds):
      "cannot read a model from '\(path)': expected a full model with 'model_config', "
        + "found weights alone (\(holds))"
    case .badJSON(let attribute, let path, let reason):
      "cannot read '\(attribute)' of '\(path)': expected JSON, found \(reason)"
    case .badConfiguration(let what, let path):
      "cannot read the model of '\(path)': \(what)"
    case .unsupportedModel(let what, let path):
      "cannot use the model of '\(path)': expected one input, one output and layers called "
        + "with tensors alone, found \(what)"
    case .unusableLayers(let error, let path):
      "cannot build the model of '\(path)': \(error)"
    case .inputShapeNeeded(let path, let found):
      "cannot build the model of '\(path)': its input \(found) has no fixed size"
    case .wrongInputShape(let path, let expected, let found):
      "cannot build the model of '\(path)': expected an input \(expected), found \(found)"
    case .mismatch(let mismatch): mismatch.description
    case .notFinite(let tensor, let path, let value, let index):
      "cannot load '\(tensor)' from '\(path)': expected finite numbers, found \(value) at "
        + "element \(index)"
    case .cannotStore(let tensor, let value, let type):
      "cannot store '\(tensor)' as \(type): expected finite numbers that it can hold, found \(value)"
    case .notInKeras(let layer, let className):
      "cannot write layer '\(layer)' for Keras, which has no \(className)"
    case .cannotNest(let scope, let reason):
      "cannot write the layers of '\(scope)' as a nested model: \(reason)"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    case .damaged(let path, let reason): "cannot read '\(path)': damaged: \(reason)"
    case .cannotRead(let path, let reason): "cannot read '\(path)': \(reason)"
    }
  }

  /// What the user can do about it, where something can be done.
  package var wayOut: String? {
    switch self {
    case .torchFile:
      "in Python: safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'x.safetensors')"
    case .onnxModel: "the model that it was made of"
    case .noConfiguration: "give the file as --base"
    case .inputShapeNeeded: "say the size with --image-size"
    default: nil
    }
  }
}
