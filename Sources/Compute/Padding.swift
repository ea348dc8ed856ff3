/// How a sliding window treats the border, in Keras's words.
package enum Padding: String, Sendable {
  /// Only windows that lie inside the picture.
  case valid
  /// `ceil(input / stride)` outputs; an odd extra pixel goes to the bottom and right, as in Keras.
  case same
}

/// One axis of a sliding window: how many outputs it has and where the first one starts.
package struct WindowAxis: Sendable, Equatable {
  package let outputSize: Int
  /// Pixels of padding before the first input pixel.
  package let paddingBefore: Int

  package init(outputSize: Int, paddingBefore: Int) {
    self.outputSize = outputSize
    self.paddingBefore = paddingBefore
  }

  /// How many windows lie inside of `input` pixels.
  static func valid(_ input: Int, _ window: Int, _ stride: Int) -> Int {
    input >= window ? (input - window) / stride + 1 : 0
  }

  package init(input: Int, window: Int, stride: Int, padding: Padding) {
    switch padding {
    case .valid:
      outputSize = Self.valid(input, window, stride)
      paddingBefore = 0
    case .same:
      outputSize = (input + stride - 1) / stride
      paddingBefore = max((outputSize - 1) * stride + window - input, 0) / 2
    }
  }
}
