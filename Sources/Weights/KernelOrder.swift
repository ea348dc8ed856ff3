/// How the kernels of a file's convolutions are laid out.
///
/// Keras 2 stores `[height, width, in, out]`; Keras 1 with Theano and PyTorch `[out, in, height,
/// width]`. Theano convolves where others correlate: its kernels are turned by 180 degrees besides.
package struct KernelOrder: Sendable, Equatable {
  package enum Layout: String, Sendable {
    case hwio, oihw
  }

  package var layout: Layout
  package var isTurned: Bool

  package init(_ layout: Layout, isTurned: Bool = false) {
    (self.layout, self.isTurned) = (layout, isTurned)
  }

  /// All orders by the names that the command line knows: `hwio`, `oihw`, `hwio-turned`,
  /// `oihw-turned`.
  package static let all = [
    KernelOrder(.hwio), KernelOrder(.oihw), KernelOrder(.hwio, isTurned: true),
    KernelOrder(.oihw, isTurned: true),
  ]

  package var name: String { layout.rawValue + (isTurned ? "-turned" : "") }

  /// Such as `[out, in, height, width], turned by 180 degrees`.
  package var summary: String {
    (layout == .hwio ? "[height, width, in, out]" : "[out, in, height, width]")
      + (isTurned ? ", turned by 180 degrees" : "")
  }
}

/// The order of a file's kernels, and how it is known.
package struct KernelDecision: Sendable, Equatable {
  package let order: KernelOrder
  /// Such as `its name says 'th_kernels'`; nil where the file's format leaves no choice.
  package let reason: String?
  /// Whether somebody asked for it.
  let isGiven: Bool

  /// What people should know, nil where kernels are as Keras 2 has them and nobody asked.
  package var note: String? {
    guard let reason, order != KernelOrder(.hwio) || isGiven else { return nil }
    return "kernels are \(order.summary): \(reason)"
      + (isGiven ? "" : " (--kernel-order says otherwise)")
  }

  init(given order: KernelOrder) {
    (self.order, reason, isGiven) = (order, "as asked for", true)
  }

  init(_ order: KernelOrder, reason: String? = nil) {
    (self.order, self.reason, isGiven) = (order, reason, false)
  }

  /// Decides for a file in one of Keras's legacy layouts.
  ///
  /// The layout is seen in the tensors. Whether kernels are turned is Keras 2's rule where the file
  /// names its backend; Keras 1 names none, and files go by names such as
  /// `vgg16_weights_th_dim_ordering_th_kernels.h5`, which say both.
  init(layers: [StoredTensors], backend: String?, fileName: String) {
    let seen = Self.layout(of: layers)
    let order = fileName.contains("th_dim_ordering") ? KernelOrder.Layout.oihw : .hwio
    let layout = seen ?? order
    let place = layout == .oihw ? " and the shapes are [out, in, height, width]" : ""
    if let backend {
      self.init(
        KernelOrder(layout, isTurned: backend == "theano"),
        reason: "the file names the backend \(backend)" + place)
    } else if fileName.contains("tf_kernels") {
      self.init(KernelOrder(layout), reason: "its name says 'tf_kernels'" + place)
    } else if fileName.contains("th_kernels") || fileName.contains("_th_") {
      let words = fileName.contains("th_kernels") ? "th_kernels" : "_th_"
      self.init(
        KernelOrder(layout, isTurned: true), reason: "its name says '\(words)'" + place)
    } else if layout == .oihw {
      self.init(
        KernelOrder(layout, isTurned: true),
        reason: "their shapes are Theano's, and neither the file nor its name says what wrote it")
    } else {
      self.init(KernelOrder(layout), reason: "nothing says otherwise")
    }
  }

  /// What most kernels can only be, nil where none tells.
  static func layout(of layers: [StoredTensors]) -> KernelOrder.Layout? {
    let votes = layers.compactMap(vote)
    let others = votes.count { $0 == .oihw }
    return votes.isEmpty ? nil : others * 2 > votes.count ? .oihw : .hwio
  }

  /// The bias has as many elements as there are outputs; windows are small and nearly always
  /// square.
  private static func vote(_ layer: StoredTensors) -> KernelOrder.Layout? {
    guard let shape = layer.tensors.first(where: { $0.shape.count == 4 })?.shape else { return nil }
    let biases = layer.tensors.filter { $0.shape.count == 1 }.map { $0.shape[0] }
    func isWindow(_ height: Int, _ width: Int) -> Bool { height == width && height <= 11 }
    let (first, last) = (isWindow(shape[0], shape[1]), isWindow(shape[2], shape[3]))
    if let outputs = biases.first, shape[0] != shape[3] {
      if outputs == shape[3] { return .hwio }
      // Not a depthwise kernel [3, 3, 3, 1], which has as many biases as inputs.
      if outputs == shape[0], last || !first { return .oihw }
    }
    return first == last ? nil : first ? .hwio : .oihw
  }
}

extension KernelOrder {
  /// The shape `[height, width, in, out]` of a stored kernel.
  func shape(of stored: [Int]) -> [Int] {
    guard layout == .oihw, stored.count == 4 else { return stored }
    return [stored[2], stored[3], stored[1], stored[0]]
  }
}
