import Compute
package import Images
package import Training

/// How much of a class's probability is lost when a part of the photo is covered (Zeiler and Fergus
/// 2014, https://arxiv.org/abs/1311.2901).
package struct Occlusion: Sendable {
  /// The size of the grey patch in pixels of the network's input.
  package let patch: Int
  /// How far it moves at a time.
  package let stride: Int

  package init(patch: Int, stride: Int) { (self.patch, self.stride) = (patch, stride) }

  /// The probabilities of one photo with each part of it covered.
  package struct Result: Sendable {
    /// Rows and columns of the patch's places.
    package let rows: Int
    package let columns: Int
    /// The class's probability with the patch at each place, row by row.
    package let probabilities: [Float]
    /// The class that was looked at.
    package let label: Int
    /// The probabilities of all classes without a patch.
    package let uncovered: [Float]

    /// The least probability and the place of the patch then: left and top in the network's input.
    package var lowest: Float { probabilities.min() ?? uncovered[label] }
  }

  private static let grey: UInt8 = 128
  private static let batch = 20

  /// - Parameters:
  ///   - photo: in the network's size.
  ///   - label: the class; the most probable of the whole photo if nil.
  ///   - report: how many places are done of how many; may throw to stop.
  package func run(
    _ photo: LoadedPhoto, model: ClassifierModel, label: Int?,
    report: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> Result {
    let (height, width) = (photo.image.height, photo.image.width)
    guard patch < height, patch < width else {
      throw ExplainError.patchTooLarge(patch: patch, height: height, width: width)
    }
    let plan = model.network.plan(
      outputs: [model.network.outputIndex], logits: true, precision: model.precision)
    func probabilities(_ photos: [LoadedPhoto]) -> [[Float]] {
      model.loss.probabilities(logits: plan.run(model.loader.tensor(of: photos))[0])
    }
    let uncovered = probabilities([photo])[0]
    let label = label ?? uncovered.indices.max { uncovered[$0] < uncovered[$1] } ?? 0
    let (tops, lefts) = (places(height), places(width))
    let corners = tops.flatMap { top in lefts.map { (top, $0) } }
    var found: [Float] = []
    for start in Swift.stride(from: 0, to: corners.count, by: Self.batch) {
      let some = corners[start..<min(start + Self.batch, corners.count)]
      found += probabilities(some.map { covered(photo, top: $0.0, left: $0.1) }).map { $0[label] }
      try report(found.count, corners.count)
    }
    return Result(
      rows: tops.count, columns: lefts.count, probabilities: found, label: label,
      uncovered: uncovered)
  }

  /// Where the patch starts on an axis; the last place ends with the photo.
  func places(_ size: Int) -> [Int] {
    var places = Array(Swift.stride(from: 0, through: size - patch, by: stride))
    if let last = places.last, last < size - patch { places.append(size - patch) }
    return places
  }

  private func covered(_ photo: LoadedPhoto, top: Int, left: Int) -> LoadedPhoto {
    var pixels = photo.image.pixels
    for row in top..<top + patch {
      let start = (row * photo.image.width + left) * 3
      pixels.replaceSubrange(
        start..<start + patch * 3, with: repeatElement(Self.grey, count: patch * 3))
    }
    var result = photo
    result.image = RGBImage(
      width: photo.image.width, height: photo.image.height, pixels: pixels)
    return result
  }

  /// How much of the probability is lost at each pixel of the network's input, in the mean over all
  /// places of the patch that cover it; where covering helps the class it is 0.
  package func losses(_ result: Result, height: Int, width: Int) -> [Float] {
    var sums = [Float](repeating: 0, count: height * width)
    var counts = [Float](repeating: 0, count: height * width)
    let (tops, lefts) = (places(height), places(width))
    let before = result.uncovered[result.label]
    for (index, probability) in result.probabilities.enumerated() {
      let (top, left) = (tops[index / lefts.count], lefts[index % lefts.count])
      for row in top..<top + patch {
        for place in row * width + left..<row * width + left + patch {
          sums[place] += before - probability
          counts[place] += 1
        }
      }
    }
    return sums.indices.map { max(0, sums[$0] / max(counts[$0], 1)) }
  }
}
