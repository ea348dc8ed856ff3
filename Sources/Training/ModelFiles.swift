package import Architectures
import Compute
import Foundation
package import Images
package import Layers
import Weights

/// What the caller knows of a model that its file does not say.
package struct ModelOverrides: Sendable {
  package var classNames: [String]?
  package var preprocessing: Preprocessing?
  package var interpolation: Interpolation?
  package var fit: FitMode?
  package var ignoreOrientation: Bool
  package var fastDecode: Bool
  /// Height and width, for a model that takes photos of any size.
  package var imageSize: (height: Int, width: Int)?
  /// The class names where neither the file nor `classNames` tells, as of the folder to learn from.
  package var fallbackClassNames: [String]?

  package init(
    classNames: [String]? = nil, preprocessing: Preprocessing? = nil,
    interpolation: Interpolation? = nil, fit: FitMode? = nil, ignoreOrientation: Bool = false,
    fastDecode: Bool = false,
    imageSize: (height: Int, width: Int)? = nil, fallbackClassNames: [String]? = nil
  ) {
    self.classNames = classNames
    self.imageSize = imageSize
    self.fallbackClassNames = fallbackClassNames
    self.preprocessing = preprocessing
    self.interpolation = interpolation
    self.ignoreOrientation = ignoreOrientation
    self.fit = fit
    self.fastDecode = fastDecode
  }
}

extension ClassifierModel {
  /// The version of `tl` that model files name.
  package static let version = "0.1.0"

  /// A base with a freshly drawn head.
  package init(
    base: LoadedBase, head: HeadPlan, classNames: [String], loader: PhotoLoader, seed: UInt64
  ) throws {
    var network = base.network
    var random = SeededRandom(seed: seed)
    try head.add(to: &network, classCount: classNames.count, random: &random)
    network.declareHead(from: base.network.nodes.count)
    self.init(
      network: network, classNames: classNames, loader: loader, history: [],
      baseDescription: base.summary)
  }

  /// A network by name, its parameters drawn with the seed.
  package init(
    new network: NewNetwork, classNames: [String], dropout: Double? = nil, loader: PhotoLoader,
    seed: UInt64
  ) throws(LayerError) {
    var random = SeededRandom(seed: seed)
    self.init(
      network: try network.network(
        inputShape: [loader.height, loader.width, 3], classCount: classNames.count,
        dropout: dropout ?? network.dropout, random: &random),
      classNames: classNames, loader: loader, history: [],
      baseDescription: "\(network.rawValue) from random weights")
  }

  /// Takes over the weights and the history of a model of the same network and classes.
  package mutating func takeWeights(of other: ClassifierModel, from path: String) throws {
    guard other.classNames == classNames else {
      throw TrainingError.otherClasses(
        "the data folder", classNames, path, other.classNames)
    }
    let (mine, theirs) = (
      network.nodes.filter(\.hasParameters), other.network.nodes.filter(\.hasParameters)
    )
    func shapes(_ nodes: [Network.Node]) -> [[[Int]]] {
      nodes.map { $0.layer.parameters.map(\.value.shape) }
    }
    guard mine.map(\.name) == theirs.map(\.name), shapes(mine) == shapes(theirs) else {
      throw TrainingError.otherNetwork(path, expected: network.name, found: other.network.name)
    }
    for node in theirs {
      guard let index = network.index(named: node.name) else { continue }
      network.updateLayer(at: index) { $0.parameters = node.layer.parameters }
    }
    history = other.history
  }

  /// Opens a Keras full-model file with a classifier in it.
  ///
  /// What `tl` wrote needs nothing else. A model written by Keras does not hold its class names and
  /// preprocessing: they must be given.
  ///
  /// - Parameter mapped: whether large tensors may stay in the file, see `WeightLoader.load`.
  package static func load(
    _ path: String, overrides: ModelOverrides = ModelOverrides(), mapped: Bool = false
  ) throws -> ClassifierModel {
    let inputShape = overrides.imageSize.map { [$0.height, $0.width, 3] }
    let stored = try KerasModel.read(path, inputShape: inputShape, mapped: mapped)
    var network = stored.network
    let extras = stored.extras
    if let head = extras.head.flatMap({ network.index(named: $0) }), head > 0 {
      network.declareHead(from: head)
    }
    guard network.inputShape.count == 3, network.inputShape[2] == 3 else {
      throw TrainingError.noPhotoInput(path, found: network.inputShape)
    }
    guard let last = network.nodes.last?.layer as? any ClassifierLayer,
      last.activation == .sigmoid || last.activation == .softmax, network.outputShape.count == 1
    else {
      throw TrainingError.noClassifier(
        path, found: "'\(network.nodes[network.outputIndex].name)' with \(network.outputShape)")
    }
    let outputs = network.outputShape[0]
    let classCount = outputs == 1 ? 2 : outputs
    guard
      let classNames = overrides.classNames ?? extras.classNames ?? overrides.fallbackClassNames
    else {
      throw TrainingError.missingExtras(path, what: "its class names", flag: "--class-names a,b")
    }
    guard classNames.count == classCount, (last.activation == .sigmoid) == (outputs == 1) else {
      throw TrainingError.wrongClassCount(path, names: classNames, outputs: outputs)
    }
    guard
      let preprocessing = overrides.preprocessing
        ?? extras.preprocessing.flatMap({ Preprocessing(rawValue: $0) })
    else {
      throw TrainingError.missingExtras(
        path, what: "the preprocessing it expects", flag: "--preprocess caffe")
    }
    let interpolation =
      overrides.interpolation ?? extras.interpolation.flatMap { Interpolation(rawValue: $0) }
    let loader = PhotoLoader(
      height: network.inputShape[0], width: network.inputShape[1],
      interpolation: interpolation ?? .nearest,
      fit: overrides.fit ?? extras.fit.flatMap { FitMode(rawValue: $0) } ?? .squash,
      preprocessing: preprocessing,
      ignoreOrientation: overrides.ignoreOrientation || extras.ignoresOrientation == true,
      fastDecode: overrides.fastDecode || extras.decodesFast == true)
    var model = ClassifierModel(
      network: network, classNames: classNames, loader: loader,
      history: try runs(extras.history, path: path),
      baseDescription: extras.baseDescription ?? "a model written by Keras")
    model.notes = stored.report.notes
    return model
  }

  private static func runs(_ json: String?, path: String) throws -> [TrainingRun] {
    guard let json else { return [] }
    do {
      return try JSONDecoder().decode([TrainingRun].self, from: Data(json.utf8))
    } catch {
      throw TrainingError.missingExtras(path, what: "a history that can be read", flag: nil)
    }
  }

  /// Writes a Keras full-model file that also holds what `tl predict` needs.
  ///
  /// An old file at `path` stays until the new one is complete. Throws for numbers that are not
  /// finite: such a model predicts nothing.
  package func save(_ path: String) throws {
    for node in network.nodes {
      for parameter in node.layer.parameters
      where !parameter.value.scalars.allSatisfy(\.isFinite) {
        throw TrainingError.notFiniteParameter("\(node.name)/\(parameter.name)")
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let headStart = network.headStart
    let extras = ModelExtras(
      classNames: classNames, preprocessing: loader.preprocessing.rawValue,
      imageSize: [loader.height, loader.width], interpolation: loader.interpolation.rawValue,
      fit: loader.fit.rawValue, ignoresOrientation: loader.ignoreOrientation,
      decodesFast: loader.fastDecode,
      history: String(decoding: try encoder.encode(history), as: UTF8.self),
      baseDescription: baseDescription, freezeProof: history.last?.proof, version: Self.version,
      head: headStart < network.nodes.count ? network.nodes[headStart].name : nil)
    try KerasModel.write(network, to: path, extras: extras)
  }

  /// Writes the weights below the classifier alone, as a base that others start from: a Keras
  /// weights file with numbers rounded to float16.
  package func saveBase(_ path: String) throws {
    try KerasModel.writeWeights(
      network.ending(at: network.headStart - 1), to: path, isHalf: true)
  }

  /// Such as `cats, dogs; 16,812,353 parameters; base vgg16 from vgg16_notop.h5`.
  package var summary: String {
    "classes \(classNames.joined(separator: ", ")); \(network.parameterCount) parameters; "
      + "base \(baseDescription)"
  }
}
