package import Compute

/// One layer's Keras configuration, read field by field with errors that name the layer.
package struct Configuration: Sendable {
  package let fields: [String: JSONValue]
  package let name: String
  /// The first number of the Keras version that wrote the configuration.
  package let kerasVersion: Int

  package init(_ fields: [String: JSONValue], kerasVersion: Int = 3) throws(LayerError) {
    guard let name = fields["name"]?.string else {
      throw .missingField("name", layer: "?")
    }
    self.fields = fields
    self.name = name
    self.kerasVersion = kerasVersion
  }

  package func int(_ field: String) throws(LayerError) -> Int {
    guard let value = fields[field]?.int else { throw .missingField(field, layer: name) }
    return value
  }

  package func bool(_ field: String, default fallback: Bool) -> Bool {
    fields[field]?.bool ?? fallback
  }

  /// One positive number for both axes, or a list of two.
  package func pair(_ field: String, default fallback: (Int, Int)? = nil) throws(LayerError) -> (
    Int, Int
  ) {
    var result = fallback
    if let both = fields[field]?.int {
      result = (both, both)
    } else if let list = fields[field]?.array, list.count == 2, let rows = list[0].int,
      let columns = list[1].int
    {
      result = (rows, columns)
    }
    guard let result, result.0 > 0, result.1 > 0 else { throw .missingField(field, layer: name) }
    return result
  }

  package func padding() throws(LayerError) -> Padding {
    let text = fields["padding"]?.string ?? "valid"
    guard let padding = Padding(rawValue: text) else {
      throw .unsupported("padding '\(text)'", layer: name)
    }
    return padding
  }

  /// Refuses a field that has another value than the only one supported.
  package func require(_ field: String, _ values: [JSONValue]) throws(LayerError) {
    guard let value = fields[field], value != .null, !values.contains(value) else { return }
    throw .unsupported("\(field) \(value)", layer: name)
  }
}

/// Every layer class that a Keras configuration can name.
package enum LayerRegistry {
  private static let classes: [any Layer.Type] = [
    InputLayer.self, Conv2D.self, Dense.self, MaxPooling2D.self, AveragePooling2D.self,
    GlobalMaxPooling2D.self, GlobalAveragePooling2D.self, Flatten.self, Dropout.self,
    Activation.self, BatchNormalization.self, ZeroPadding2D.self, Add.self, Concatenate.self,
    ReLU.self, LeakyReLU.self, ELU.self, PReLU.self, Softmax.self, DepthwiseConv2D.self,
    SeparableConv2D.self, Conv2DTranspose.self, Subtract.self, Multiply.self, Average.self,
    Maximum.self, Minimum.self, Cropping2D.self, UpSampling2D.self, Permute.self, Reshape.self,
    Rescaling.self, Normalization.self, Resizing.self, CenterCrop.self, LayerNormalization.self,
    SpatialDropout2D.self, GaussianNoise.self, GaussianDropout.self,
    LocalResponseNormalization.self,
  ]

  package static let knownClassNames =
    (classes.map { $0.className } + RandomAugmentation.classNames).sorted()

  package static func isKnown(_ className: String) -> Bool {
    type(named: className) != nil || RandomAugmentation.classNames.contains(className)
  }

  static func type(named className: String) -> (any Layer.Type)? {
    classes.first { $0.className == className }
  }

  /// The layer that `className` and `fields` describe, for inputs of the given shapes.
  package static func layer(
    className: String, configuration: Configuration, inputShapes: [[Int]]
  ) throws(LayerError) -> any Layer {
    if RandomAugmentation.classNames.contains(className) {
      return try RandomAugmentation(
        className: className, configuration: configuration, inputShapes: inputShapes)
    }
    guard let type = type(named: className) else {
      throw .unknownClass(className, layer: configuration.name)
    }
    return try type.init(configuration: configuration, inputShapes: inputShapes)
  }
}
