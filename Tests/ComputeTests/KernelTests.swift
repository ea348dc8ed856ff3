import Compute
import TestSupport
import Testing

@Suite struct KernelTests {
  @Test func scalarKernelsComeFirstAndTheFastestIsCurrentOrChosen() {
    #expect(KernelTable.available.first?.name == "scalar")
    #expect(KernelTable.available.contains { $0.name == KernelTable.current.name })
  }

  @Test func everyKernelAgreesWithTheScalarOne() {
    for item in KernelCase.all {
      let expected = item.run(on: KernelTable.available[0]).result
      #expect(expected.contains { $0 != 0 }, "\(item.name) computes something")
      for table in KernelTable.tested.dropFirst() {
        expectClose(
          item.run(on: table).result, expected, absolute: 2e-5, relative: 1e-5,
          "\(item.name) by \(table.name)")
      }
    }
  }
}
