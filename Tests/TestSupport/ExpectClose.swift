import Testing

/// Compares whole arrays: `abs(a - b) <= absolute + relative * abs(b)` for every element.
///
/// Reports the first bad index, how many are bad and the largest difference.
package func expectClose(
  _ actual: [Float], _ expected: [Float], absolute: Float = 1e-5, relative: Float = 1e-5,
  _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(what): \(actual.count) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  var bad = 0
  var first = -1
  var largest: Float = 0
  for index in actual.indices {
    let difference = abs(actual[index] - expected[index])
    if !(difference <= absolute + relative * abs(expected[index])) {
      if bad == 0 { first = index }
      bad += 1
    }
    if !(difference <= largest) { largest = difference }
  }
  if bad > 0 {
    Issue.record(
      """
      \(what): \(bad) of \(actual.count) elements differ, first at \(first): \
      \(actual[first]), expected \(expected[first]); largest difference \(largest)
      """, sourceLocation: sourceLocation)
  }
}
