/// How a heat map is computed.
package enum HeatMapMethod: String, Sendable, CaseIterable {
  /// Selvaraju and others 2017, https://arxiv.org/abs/1610.02391.
  case gradCAM = "grad-cam"
  /// Chattopadhay and others 2018, https://arxiv.org/abs/1710.11063.
  case gradCAMPlusPlus = "grad-cam++"
  /// Zhou and others 2016, https://arxiv.org/abs/1512.04150; only where one Dense layer follows a
  /// global average pooling.
  case cam
}

extension HeatMapMethod {
  /// The weight of each channel of one photo.
  ///
  /// - Parameters:
  ///   - values: what the layer gives, `positions * channels`.
  ///   - gradients: those of the class's score, as many.
  func weights(values: Span<Float>, gradients: Span<Float>, channels: Int) -> [Float] {
    switch self {
    case .gradCAM, .cam: meanGradients(gradients, channels)
    case .gradCAMPlusPlus: weighedGradients(values, gradients, channels)
    }
  }

  private func meanGradients(_ gradients: Span<Float>, _ channels: Int) -> [Float] {
    var sums = [Float](repeating: 0, count: channels)
    for start in stride(from: 0, to: gradients.count, by: channels) {
      for channel in 0..<channels { sums[channel] += gradients[start + channel] }
    }
    let positions = Float(gradients.count / max(channels, 1))
    return sums.map { $0 / positions }
  }

  /// Equation 19 of the paper, for the exponential of the score; the exponential itself scales all
  /// weights alike and is left out.
  private func weighedGradients(
    _ values: Span<Float>, _ gradients: Span<Float>, _ channels: Int
  ) -> [Float] {
    var sums = [Float](repeating: 0, count: channels)
    for start in stride(from: 0, to: values.count, by: channels) {
      for channel in 0..<channels { sums[channel] += values[start + channel] }
    }
    var weights = [Float](repeating: 0, count: channels)
    for start in stride(from: 0, to: values.count, by: channels) {
      for channel in 0..<channels {
        let gradient = gradients[start + channel]
        guard gradient > 0 else { continue }
        // The square of the gradient, by which the fraction is reduced, may be too small for a
        // Float.
        let below = 2 + sums[channel] * gradient
        if below != 0 { weights[channel] += gradient / below }
      }
    }
    return weights
  }
}

extension HeatMapMethod {
  /// As it is written in papers.
  package var title: String {
    switch self {
    case .gradCAM: "Grad-CAM"
    case .gradCAMPlusPlus: "Grad-CAM++"
    case .cam: "CAM"
    }
  }
}
