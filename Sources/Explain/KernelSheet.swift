package import Drawing
package import Images
package import Layers

/// A convolution's kernels as pictures.
package struct KernelSheet: Sendable {
  package let layer: String
  package let grid: PictureGrid

  /// - Parameters:
  ///   - layer: the first convolution's name; found if nil.
  ///   - preprocessing: tells in which order the network takes colours; red first if nil.
  package init(_ network: Network, layer: String?, preprocessing: Preprocessing?) throws {
    let first = network.nodes.firstIndex { $0.layer is Conv2D } ?? network.outputIndex
    let index = try layer.map { try network.index(ofLayer: $0) } ?? first
    let node = network.nodes[index]
    guard let convolution = node.layer as? Conv2D else {
      throw ExplainError.noConvolution(node.name, found: node.layer.className)
    }
    let kernel = convolution.kernel
    guard kernel.shape[2] == 3 || kernel.shape[2] == 1 else {
      throw ExplainError.noColorKernels(layer: node.name, shape: kernel.shape)
    }
    self.layer = node.name
    let isReversed = preprocessing == .caffe && kernel.shape[2] == 3
    let cells = (0..<kernel.shape[3]).map { filter in
      PictureGrid.Cell.picture(
        Self.picture(kernel.scalars, kernel.shape, filter: filter, isReversed: isReversed))
    }
    grid = PictureGrid(
      title: "\(node.name)   \(kernel.shape[3]) kernels of \(kernel.shape[0]) × "
        + "\(kernel.shape[1]) × \(kernel.shape[2]), grey is 0, each to its largest weight",
      cells: cells, shape: (kernel.shape[0], kernel.shape[1]), columns: 16, width: 960)
  }

  /// Weights as colours: grey for 0, the largest weight of the kernel at the end of the scale.
  private static func picture(
    _ kernel: [Float], _ shape: [Int], filter: Int, isReversed: Bool
  ) -> RGBImage {
    let (inputs, filters) = (shape[2], shape[3])
    let positions = shape[0] * shape[1]
    func weight(_ position: Int, _ channel: Int) -> Float {
      kernel[(position * inputs + channel) * filters + filter]
    }
    var largest: Float = 0
    for position in 0..<positions {
      for channel in 0..<inputs { largest = max(largest, abs(weight(position, channel))) }
    }
    var pixels: [UInt8] = []
    for position in 0..<positions {
      for color in 0..<3 {
        let channel = inputs == 1 ? 0 : isReversed ? 2 - color : color
        let value = largest > 0 ? weight(position, channel) / largest : 0
        pixels.append(UInt8((128 + 127 * value).rounded()))
      }
    }
    return RGBImage(width: shape[1], height: shape[0], pixels: pixels)
  }
}
