/// What a weights file holds, as far as it decides how a network by name is built: how wide each
/// layer is, and what layers are called that Keras only numbers.
///
/// Names are compared as Keras 3 writes them, without slashes. Where Keras numbers the layers of a
/// class (`conv2d_17`) a file may start anywhere, so they are told apart by their rank.
struct FileLayers: Sendable {
  /// Every layer under the name that the published network has for it.
  let layers: [StoredLayer]
  private let shapes: [String: [[Int]]]
  private let namesInFile: [String: String]
  /// Whether every layer has two channels, for a network of which only the names matter.
  private let isNarrow: Bool

  /// Nothing: the network is as wide as published.
  static let none = FileLayers([], isNarrow: false)
  static let narrow = FileLayers([], isNarrow: true)

  /// The layers of a file, of which those of numbered classes get the published numbers.
  init(_ stored: [StoredLayer], numbersLayers: Bool) {
    var layers = stored.map {
      StoredLayer(name: Self.withoutSlashes($0.name), shapes: $0.shapes)
    }
    var names: [String: String] = [:]
    if numbersLayers {
      for (rank, place) in Self.numbered(layers, as: ["conv2d", "convolution2d"]) {
        layers[place] = layers[place].renamed(Self.name("conv2d", rank), &names)
      }
      let spellings = ["batch_normalization", "batchnormalization"]
      for (rank, place) in Self.numbered(layers, as: spellings) {
        layers[place] = layers[place].renamed(Self.name("batch_normalization", rank), &names)
      }
    }
    self.init(layers, names: names, isNarrow: false)
  }

  private init(_ layers: [StoredLayer], names: [String: String] = [:], isNarrow: Bool) {
    self.layers = layers
    self.isNarrow = isNarrow
    shapes = Dictionary(layers.map { ($0.name, $0.shapes) }) { first, _ in first }
    namesInFile = names
  }

  /// The name of the layer of that rank, from 0, as Keras numbers a class.
  static func name(_ stem: String, _ rank: Int) -> String { rank == 0 ? stem : "\(stem)_\(rank)" }

  /// What the layer is called in the file, without slashes.
  func name(of layer: String) -> String { namesInFile[layer] ?? layer }

  /// How many outputs the file's layer has, `published` where there is none.
  func width(of layer: String, published: Int) -> Int {
    if isNarrow { return 2 }
    // The last kernel of a separable convolution is the one that gives the outputs.
    return shapes[layer]?.last { $0.count > 1 }?.last ?? published
  }

  private static func withoutSlashes(_ name: String) -> String {
    String(name.map { $0 == "/" ? "_" : $0 })
  }

  /// The places of the layers called by one of the spellings and a number, with their ranks.
  private static func numbered(
    _ layers: [StoredLayer], as spellings: [String]
  ) -> [(rank: Int, place: Int)] {
    let found = layers.indices.compactMap { place -> (number: Int, place: Int)? in
      let name = layers[place].name
      guard let stem = spellings.first(where: name.hasPrefix) else { return nil }
      let rest = name.dropFirst(stem.count)
      if rest.isEmpty { return (0, place) }
      guard rest.first == "_", let number = Int(rest.dropFirst()) else { return nil }
      return (number, place)
    }.sorted { $0.number < $1.number }
    return found.enumerated().map { ($0.offset, $0.element.place) }
  }
}

extension StoredLayer {
  /// The same under another name; what it was called is kept in `names`.
  fileprivate func renamed(_ name: String, _ names: inout [String: String]) -> StoredLayer {
    names[name] = self.name
    return StoredLayer(name: name, shapes: shapes)
  }
}
