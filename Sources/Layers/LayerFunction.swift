package import Compute

extension Layer {
  /// The function that the layer ends with, nil for layers that have none.
  package var function: PointwiseFunction? {
    switch self {
    case let layer as any FunctionLayer: layer.activation
    case let layer as any ClassifierLayer: layer.activation
    case let layer as Conv2D: layer.activation
    case let layer as DepthwiseConv2D: layer.activation
    case let layer as SeparableConv2D: layer.activation
    case let layer as Conv2DTranspose: layer.activation
    default: nil
    }
  }
}
