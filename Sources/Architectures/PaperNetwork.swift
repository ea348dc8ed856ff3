import Layers

/// An architecture that is written down layer by layer; everything else is read off what it builds.
protocol PaperNetwork: Architecture {
  /// The file that decides widths and numbers.
  var file: FileLayers { get set }
  /// How a layer's name starts that files of this family have and others rarely.
  var marker: String { get }
  /// Whether Keras only numbers some of the convolutions.
  var numbersLayers: Bool { get }

  /// How the names of layers start that files of this family may have besides.
  var auxiliary: [String] { get }

  /// The layers up to the last picture.
  func addBase(to net: inout Assembly) throws(LayerError)
  /// The classifier.
  func addTop(to net: inout Assembly) throws(LayerError)
}

extension PaperNetwork {
  var numbersLayers: Bool { false }
  var auxiliary: [String] { [] }

  func addTop(to net: inout Assembly) throws(LayerError) { try net.averageAndClassify() }

  package func network(inputShape: [Int], includesTop: Bool) throws(LayerError) -> Network {
    let net = try assembled(inputShape, includesTop: includesTop)
    var network = try net.network.inKerasOrder()
    if includesTop { network.declareHead(from: net.network.headStart) }
    return network
  }

  private func assembled(_ shape: [Int], includesTop: Bool) throws(LayerError) -> Assembly {
    var net = Assembly(name: name, inputShape: shape, file: file)
    try addBase(to: &net)
    if includesTop {
      net.declareHead()
      try addTop(to: &net)
    }
    return net
  }

  /// The network with two channels everywhere, whose names and windows are those of all widths.
  private var narrow: Assembly? {
    var narrow = self
    narrow.file = .narrow
    return try? narrow.assembled([card.inputSize, card.inputSize, 3], includesTop: true)
  }

  package var topNames: [String] {
    narrow.map { $0.network.nodes[$0.network.headStart...].map(\.name) } ?? []
  }

  package var convolutionNames: [String] {
    guard let network = narrow?.network else { return [] }
    return network.nodes[..<network.headStart].filter(\.isConvolution).map(\.name)
  }

  package var widths: [Int] {
    narrow?.published.map { file.width(of: $0.layer, published: $0.width) } ?? []
  }

  package var isPublished: Bool {
    guard let narrow else { return false }
    // A classifier for other classes is nothing that the base depends on.
    let top = Set(narrow.network.nodes[narrow.network.headStart...].map(\.name))
    return narrow.published.allSatisfy { layer, width in
      top.contains(layer) || file.width(of: layer, published: width) == width
    }
  }

  package func fitted(
    to layers: [StoredLayer]
  ) -> (architecture: any Architecture, missing: Int)? {
    guard layers.contains(where: { $0.name.hasPrefix(marker) }), let narrow else { return nil }
    let file = FileLayers(layers, numbersLayers: numbersLayers)
    let known = Dictionary(
      narrow.network.nodes.filter(\.hasParameters).map { ($0.name, $0.layer.parameters) }
    ) { first, _ in first }
    // Layers that people add on top of a base are dense; all else must be the network's own.
    let own = file.layers.filter { layer in
      (layer.isPicturewise || known[layer.name] != nil)
        && !auxiliary.contains(where: layer.name.hasPrefix)
    }
    guard own.allSatisfy({ $0.fits(known[$0.name] ?? []) }) else { return nil }
    let (names, base) = (Set(own.map(\.name)), narrow.network.nodes[..<narrow.network.headStart])
    let wanted = base.filter { numbersLayers ? $0.hasParameters : $0.isConvolution }
    let missing = wanted.count { !names.contains($0.name) }
    // Where one of several layers without names is missing, nobody knows which.
    guard missing * 2 <= wanted.count, !numbersLayers || missing == 0 else { return nil }
    var fitted = self
    fitted.file = file
    return (fitted, missing)
  }
}

extension Network.Node {
  /// Whether it has a kernel over pictures.
  fileprivate var isConvolution: Bool {
    layer.parameters.contains { $0.value.shape.count == 4 }
  }
}

extension StoredLayer {
  /// Whether it is a convolution or a normalisation.
  fileprivate var isPicturewise: Bool { shapes.count > 2 || shapes.contains { $0.count == 4 } }

  /// Whether the tensors have the axes, and kernels the windows, of those parameters.
  fileprivate func fits(_ parameters: [Parameter]) -> Bool {
    shapes.count == parameters.count
      && zip(shapes, parameters).allSatisfy { shape, parameter in
        let other = parameter.value.shape
        return shape.count == other.count
          && (shape.count < 4 || shape[..<2] == other[..<2])
      }
  }
}
