package import Compute

extension Layer {
  /// The function that the layer ends with, nil for layers that have none.
  package var function: PointwiseFunction? { (self as? any ActivatedLayer)?.activation }
}
