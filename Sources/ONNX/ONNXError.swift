// ONNX writes networks as ONNX models, with swift-protobuf. It translates layers by what their Keras
// configuration says, so it knows their meaning and nothing of how they compute.

/// Why a network cannot be written as an ONNX model.
package enum ONNXError: Error, Sendable, Equatable {
  /// A layer of a class that has no translation.
  case unknownLayer(String, className: String)
  /// A layer with a setting that has none.
  case unsupported(String, layer: String)
  /// Protocol buffers end at 2 GiB.
  case tooLarge(bytes: Int)
}

extension ONNXError: CustomStringConvertible {
  /// One line: what failed, and which layer it is.
  package var description: String {
    switch self {
    case .unknownLayer(let layer, let className):
      "cannot write layer '\(layer)' as ONNX: its class \(className) has no translation"
    case .unsupported(let what, let layer):
      "cannot write layer '\(layer)' as ONNX: \(what) has no translation"
    case .tooLarge(let bytes):
      "cannot write the network as ONNX: expected at most 2 GiB of tensors, found "
        + "\(bytes >> 20) MiB"
    }
  }
}
