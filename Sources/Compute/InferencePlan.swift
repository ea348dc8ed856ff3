/// A value inside an `InferencePlan` while it is being built.
package struct PlanValue: Hashable, Sendable {
  package let index: Int
}

/// Element-wise functions that a plan can fuse into the operation before them.
package enum PointwiseFunction: String, Sendable {
  case linear, relu, sigmoid, tanh, softmax
}
