package import Compute
package import Training

// Explain looks into networks: what layers see, what filters answer to, and where in a photo the
// evidence for a class lies. The numbers come from here, and the pictures drawn of them; it prints
// and parses nothing.

/// The score whose gradient says what speaks for a class: the log of its odds, `log(p / (1 - p))`.
///
/// Before a sigmoid that is the number itself for the second class and its negative for the first;
/// before a softmax it is `z_c - log(sum of exp(z_k), k != c)`. Its gradient points where that of
/// the probability `p` points (they differ by the factor `p * (1 - p)`), so a heat map scaled to its
/// largest value is the one that the gradient of Keras's output gives; but it does not become zero
/// where `p` is 1 to the last digit.
package enum ClassScore {
  /// The gradient of the score with respect to the logits, for one class a row.
  ///
  /// - Parameters:
  ///   - logits: `[n, outputs]`.
  ///   - labels: the class of each row.
  package static func gradient(logits: Tensor, labels: [Int], loss: Loss) -> Tensor {
    let width = logits.shape[1]
    precondition(labels.count == logits.shape[0], "one class a row is needed")
    var result = Tensor(zeros: logits.shape)
    for (row, label) in labels.enumerated() {
      switch loss {
      case .binaryCrossentropy: result.scalars[row] = label == 1 ? 1 : -1
      case .categoricalCrossentropy:
        let start = row * width
        var others = Array(logits.scalars[start..<start + width])
        others[label] = -.infinity
        for (column, share) in softmax(others).enumerated() {
          result.scalars[start + column] = column == label ? 1 : -share
        }
      }
    }
    return result
  }

  /// The gradient of each row's own logit with respect to the logits.
  static func logitGradient(logits: Tensor, labels: [Int], loss: Loss) -> Tensor {
    if loss == .binaryCrossentropy {
      return gradient(logits: logits, labels: labels, loss: loss)
    }
    var result = Tensor(zeros: logits.shape)
    for (row, label) in labels.enumerated() { result.scalars[row * logits.shape[1] + label] = 1 }
    return result
  }

  private static func softmax(_ values: [Float]) -> [Float] {
    var row = Tensor(shape: [1, values.count], scalars: values)
    PointwiseFunction.softmax.apply(to: &row, width: values.count)
    return row.scalars
  }
}

extension ClassifierModel {
  /// The label of the class of that name.
  package func label(named name: String) throws -> Int {
    guard let label = classNames.firstIndex(of: name) else {
      throw ExplainError.unknownClass(name, known: classNames)
    }
    return label
  }
}
