import Images
import Testing

/// Compares all samples of two pictures: none may differ by more than `tolerance` of 255.
func expectSame(
  _ actual: RGBImage, _ expected: RGBImage, tolerance: Int = 0, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.width == expected.width, actual.height == expected.height else {
    Issue.record(
      """
      \(what): \(actual.width) x \(actual.height), expected \(expected.width) x \(expected.height)
      """, sourceLocation: sourceLocation)
    return
  }
  let differences = zip(actual.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }
  let bad = differences.indices.filter { differences[$0] > tolerance }
  if let first = bad.first {
    Issue.record(
      """
      \(what): \(bad.count) of \(differences.count) samples differ, first at \(first): \
      \(actual.pixels[first]), expected \(expected.pixels[first]); largest difference \
      \(differences.max()!)
      """, sourceLocation: sourceLocation)
  }
}
