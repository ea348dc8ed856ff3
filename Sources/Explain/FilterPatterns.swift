import Compute
import Foundation
package import Images
package import Layers

/// How patterns are searched that a layer's filters answer to.
package struct PatternSettings: Sendable {
  /// Steps of gradient ascent, over all sizes together.
  package var steps: Int
  /// The patterns' final height and width in pixels.
  package var size: Int
  package var seed: UInt64

  package init(steps: Int = 40, size: Int = 128, seed: UInt64 = 0) {
    (self.steps, self.size, self.seed) = (steps, size, seed)
  }
}

/// Finds for each filter of a layer the picture that it answers to most, by gradient ascent on the
/// input as in section 5.4 of the book.
///
/// What makes the patterns legible is that of Olah and others, https://distill.pub/2017/
/// feature-visualization: the picture is shifted at random before each step, blurred a little after
/// it, and grows in a few sizes from coarse to fine.
package struct FilterPatterns: Sendable {
  private static let growth = 1.4
  private static let largestShift = 4
  private static let border = 2
  private let preprocessing: Preprocessing
  private let settings: PatternSettings
  /// For each size from small to large the way from the input to the layer.
  private let scales: [(side: Int, path: GradientPath)]

  /// The layer's number of filters.
  package let filterCount: Int

  /// - Parameter layer: a node that gives pictures.
  package init(
    _ network: Network, layer: Int, preprocessing: Preprocessing, settings: PatternSettings
  ) throws {
    self.preprocessing = preprocessing
    self.settings = settings
    filterCount = network.nodes[layer].shape[2]
    let needed = network.ending(at: layer)
    var scales: [(side: Int, path: GradientPath)] = []
    for power in [3.0, 2, 1, 0] {
      let side = Int((Double(settings.size) / pow(Self.growth, power)).rounded())
      do throws(LayerError) {
        let sized = try needed.resized(to: [side, side, 3])
        scales.append((side, try GradientPath(sized, from: 0, to: sized.outputIndex)))
      } catch {
        // Deep layers have nothing left of small pictures; the wanted size must do.
        if power == 0 { throw error }
      }
    }
    self.scales = scales
  }

  /// The pattern of one filter.
  package struct Pattern: Sendable {
    package let filter: Int
    package let image: RGBImage
    /// What the filter gives for the pattern, in the mean over its output.
    package let response: Float
    /// Whether the filter never answered, so that there was nothing to climb.
    package let isDead: Bool
  }

  /// The patterns of some filters, which go through the network together.
  package func patterns(_ filters: [Int]) -> [Pattern] {
    // Every filter has numbers of its own, so that its pattern does not depend on the others.
    var random = filters.map { SeededRandom(seed: settings.seed &* 1_000_003 &+ UInt64($0)) }
    var pictures: [PatternPicture] = []
    var responses = [Float](repeating: 0, count: filters.count)
    for (index, scale) in scales.enumerated() {
      pictures =
        index == 0
        ? random.indices.map { PatternPicture(noise: scale.side, &random[$0]) }
        : pictures.map { $0.resized(to: scale.side) }
      let steps =
        (index + 1) * settings.steps / scales.count - index * settings.steps / scales.count
      for _ in 0..<steps {
        responses = step(&pictures, filters, scale.path, &random)
      }
    }
    return filters.indices.map {
      Pattern(
        filter: filters[$0], image: pictures[$0].image, response: responses[$0],
        isDead: pictures[$0].neverMoved)
    }
  }

  /// One step uphill; what the filters gave before it.
  private func step(
    _ pictures: inout [PatternPicture], _ filters: [Int], _ path: GradientPath,
    _ random: inout [SeededRandom]
  ) -> [Float] {
    let side = pictures[0].side
    let shifts = random.indices.map { row in
      (0..<2).map { _ in Int.random(in: 0...2 * Self.largestShift, using: &random[row]) }
    }
    var values: [Float] = []
    values.reserveCapacity(filters.count * side * side * 3)
    for (picture, shift) in zip(pictures, shifts) {
      values += preprocessing.numbers(picture.rolled(shift[0], shift[1]).samples, side: side)
    }
    let pass = path.forward([Tensor(shape: [filters.count, side, side, 3], scalars: values)])
    let (seed, responses) = Self.seed(pass.output, filters)
    let gradients = path.gradient(pass, ofOutput: seed)
    for (row, shift) in shifts.enumerated() {
      let range = row * side * side * 3..<(row + 1) * side * side * 3
      let colors = preprocessing.colors(ofGradient: Array(gradients.scalars[range]))
      pictures[row].climb(PatternPicture(side: side, samples: colors).rolled(-shift[0], -shift[1]))
    }
    return responses
  }

  /// The gradient of each row's filter, in the mean over the picture but its border (where zeros
  /// around it are seen), and that mean itself.
  private static func seed(_ output: Tensor, _ filters: [Int]) -> (Tensor, [Float]) {
    var seed = Tensor(zeros: output.shape)
    let (height, width, channels) = (output.shape[1], output.shape[2], output.shape[3])
    let border = min(height, width) > 3 * Self.border ? Self.border : 0
    let (rows, columns) = (border..<height - border, border..<width - border)
    let share = 1 / Float(rows.count * columns.count)
    let responses = filters.enumerated().map { row, filter -> Float in
      var sum: Float = 0
      for y in rows {
        for x in columns {
          let place = ((row * height + y) * width + x) * channels + filter
          seed.scalars[place] = share
          sum += output.scalars[place]
        }
      }
      return sum * share
    }
    return (seed, responses)
  }
}
