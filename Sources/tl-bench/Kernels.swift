import Compute

/// Every kernel of every instruction set: speed, and how far it is from the scalar one.
func benchmarkKernels(_ arguments: Arguments) {
  print("Kernels, one thread, GFLOP/s (best) and largest difference from scalar")
  let tables = KernelTable.available
  print("".column(30) + tables.map { $0.name.column(20) }.joined())
  for item in KernelCase.all {
    let expected = item.run(on: tables[0]).result
    let columns = tables.map { table -> String in
      let difference = zip(item.run(on: table).result, expected).map { abs($0 - $1) }.max() ?? 0
      // As many calls as take about a millisecond.
      let once = item.run(on: table, repetitions: 10).seconds / 10
      let repetitions = max(10, Int(1e-3 / max(once, 1e-8)))
      let best = (0..<arguments.integer("rounds", 10))
        .map { _ in item.run(on: table, repetitions: repetitions).seconds }.min()!
      let speed = Double(item.operations) * Double(repetitions) / best * 1e-9
      return speed.column(6) + "  " + "\(difference)".column(12)
    }
    print(item.name.column(30) + columns.joined())
  }
}
