internal import HDF5
package import Layers

/// What rides along in a model file as attributes `tl_...` of its root, which Keras leaves alone.
package struct ModelExtras: Sendable, Equatable {
  /// The class names in the order of their labels.
  package var classNames: [String]?
  /// The name of the preprocessing, such as `caffe`.
  package var preprocessing: String?
  /// Height and width that pictures are scaled to.
  package var imageSize: [Int]?
  /// Such as `nearest`.
  package var interpolation: String?
  /// Such as `squash`.
  package var fit: String?
  /// Whether EXIF orientation is left unapplied.
  package var ignoresOrientation: Bool?
  /// Whether large photos are decoded at a fraction of their size.
  package var decodesFast: Bool?
  /// The training runs, as JSON.
  package var history: String?
  /// Where the base came from.
  package var baseDescription: String?
  /// What shows that frozen tensors did not change.
  package var freezeProof: String?
  /// The version of tl that wrote the file.
  package var version: String?
  /// The name of the classifier's first layer.
  package var head: String?

  package init(
    classNames: [String]? = nil, preprocessing: String? = nil, imageSize: [Int]? = nil,
    interpolation: String? = nil, fit: String? = nil, ignoresOrientation: Bool? = nil,
    decodesFast: Bool? = nil, history: String? = nil,
    baseDescription: String? = nil, freezeProof: String? = nil, version: String? = nil,
    head: String? = nil
  ) {
    self.classNames = classNames
    self.preprocessing = preprocessing
    self.imageSize = imageSize
    self.interpolation = interpolation
    self.fit = fit
    self.ignoresOrientation = ignoresOrientation
    self.decodesFast = decodesFast
    self.history = history
    self.baseDescription = baseDescription
    self.freezeProof = freezeProof
    self.version = version
    self.head = head
  }

  private static var texts: [(name: String, field: WritableKeyPath<ModelExtras, String?>)] {
    [
      ("tl_preprocessing", \.preprocessing), ("tl_interpolation", \.interpolation),
      ("tl_fit", \.fit),
      ("tl_history", \.history), ("tl_base", \.baseDescription),
      ("tl_freeze_proof", \.freezeProof), ("tl_version", \.version),
      ("tl_head", \.head),
    ]
  }

  init(readFrom attributes: HDF5Attributes) throws {
    for (name, field) in Self.texts { self[keyPath: field] = try attributes.string(name) }
    classNames = try attributes.strings("tl_class_names")
    imageSize = try attributes.integers("tl_image_size")?.map { Int($0) }
    ignoresOrientation = try attributes.integer("tl_ignore_orientation").map { $0 != 0 }
    decodesFast = try attributes.integer("tl_fast_decode").map { $0 != 0 }
  }

  func write(to attributes: HDF5Attributes) throws {
    for (name, field) in Self.texts {
      if let text = self[keyPath: field] { try attributes.set(name, string: text) }
    }
    if let classNames {
      try attributes.set("tl_class_names", strings: classNames, storage: .variable)
    }
    if let imageSize {
      try attributes.set("tl_image_size", integers: imageSize.map { Int64($0) })
    }
    if let ignoresOrientation {
      try attributes.set("tl_ignore_orientation", boolean: ignoresOrientation)
    }
    if let decodesFast { try attributes.set("tl_fast_decode", boolean: decodesFast) }
  }
}

extension ModelExtras {
  /// Under which name the model's configuration rides along where Keras has no place for it.
  static let configurationName = "tl_model_config"

  /// The same as texts alone, for files that hold nothing else: lists are JSON, flags `true` or
  /// `false`.
  package var texts: [String: String] {
    var result: [String: String] = [:]
    for (name, field) in Self.texts { result[name] = self[keyPath: field] }
    result["tl_class_names"] = classNames.map { names in
      (try? JSONText.text(.array(names.map { .string($0) }))) ?? "[]"
    }
    result["tl_image_size"] = imageSize.map { "\($0)" }
    result["tl_ignore_orientation"] = ignoresOrientation.map { "\($0)" }
    result["tl_fast_decode"] = decodesFast.map { "\($0)" }
    return result
  }

  /// The same with the configuration of the network that they belong to, which tells how it is
  /// built and what is frozen.
  package func texts(with network: Network) throws -> [String: String] {
    let tree = try ModelTree(network)
    var result = texts
    result[Self.configurationName] = try JSONText.text(tree.configuration)
    result["keras_version"] = KerasSpelling.version(of: tree)
    return result
  }

  /// What `texts` gave; what cannot be read is left out.
  package init(texts: [String: String]) {
    for (name, field) in Self.texts { self[keyPath: field] = texts[name] }
    func list(_ name: String) -> [JSONValue]? {
      texts[name].flatMap { try? JSONText.value($0) }?.array
    }
    classNames = list("tl_class_names")?.compactMap(\.string)
    imageSize = list("tl_image_size")?.compactMap(\.int)
    ignoresOrientation = texts["tl_ignore_orientation"].flatMap { Bool($0) }
    decodesFast = texts["tl_fast_decode"].flatMap { Bool($0) }
  }
}
