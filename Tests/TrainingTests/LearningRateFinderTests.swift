import Foundation
import Testing
import Training

struct LearningRateFinderTests {
  /// A loss that stays, falls fastest at 1e-3, and grows from 1e-1 on.
  @Test func suggestsWhereTheLossFallsFastest() throws {
    let search = RateSearch(lowest: 1e-6, highest: 10, steps: 141)
    var curve = RateCurve()
    for step in 0..<search.steps {
      let exponent = log10(search.rate(step))
      let fall = 1 / (1 + exp(4 * (exponent + 3)))
      let growth = exponent > -1 ? pow(exponent + 1, 2) * 20 : 0
      guard curve.add(rate: search.rate(step), loss: 0.1 + fall + growth) else { break }
    }
    #expect(curve.hasDiverged)
    #expect(curve.points.count < search.steps)
    let suggestion = try #require(curve.suggestion)
    // The mean lags behind by some steps of a twentieth of a decade.
    #expect(suggestion > 1e-3 && suggestion < 5e-3, "\(suggestion)")
    #expect(try #require(curve.lowest).rate > suggestion)
  }

  @Test func suggestsNothingWhereTheLossDoesNotFall() {
    var (flat, infinite) = (RateCurve(), RateCurve())
    for step in 0..<40 { _ = flat.add(rate: Double(step + 1), loss: 0.7 + Double(step % 3) * 0.01) }
    #expect(flat.suggestion == nil && !flat.hasDiverged)
    let goesOn = [0.7, .infinity].map { infinite.add(rate: 1, loss: $0) }
    #expect(goesOn == [true, false])
    #expect(infinite.hasDiverged && infinite.suggestion == nil && infinite.points.count == 1)
  }

  @Test func ratesAreEvenByTheirLogarithm() {
    let search = RateSearch(lowest: 1e-4, highest: 1, steps: 5)
    let rates = (0..<5).map(search.rate)
    for (found, expected) in zip(rates, [1e-4, 1e-3, 1e-2, 1e-1, 1]) {
      #expect(abs(found / expected - 1) < 1e-12)
    }
  }
}
