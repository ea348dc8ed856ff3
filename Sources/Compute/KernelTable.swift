internal import CKernels
import Foundation

/// The inner loops of one instruction set.
package struct KernelTable: Sendable {
  /// Such as `avx512`; what `TL_ISA` names.
  package let name: String
  private let index: Int32

  /// The tables that this CPU can run, slowest first.
  package static let available: [KernelTable] = {
    var tables: [KernelTable] = []
    while let table = ck_table_at(Int32(tables.count)) {
      tables.append(
        KernelTable(name: String(cString: table.pointee.name), index: Int32(tables.count)))
    }
    return tables
  }()

  /// Those, and one that imitates the tiles of AMX, which few CPUs have, in plain C.
  package static let tested =
    available + [KernelTable(name: "amx_imitated", index: imitation)]
  private static let imitation: Int32 = -1

  /// The fastest table, or the one that the environment variable `TL_ISA` names.
  package static let current: KernelTable = {
    guard let wanted = ProcessInfo.processInfo.environment["TL_ISA"], !wanted.isEmpty else {
      return available[available.count - 1]
    }
    let table = available.first { $0.name == wanted }
    precondition(
      table != nil, "TL_ISA must be one of \(available.map(\.name)) here but is '\(wanted)'")
    return table!
  }()

  /// What tables of other inner loops for the same instruction set are called.
  package var nameOfOthers: String { String(cString: functions.others) }

  /// Whether the CPU multiplies bf16 numbers; without such instructions they are slower than
  /// float32.
  package var multipliesBF16: Bool { functions.has_bf16 }

  /// The C side; tables live as long as the process.
  var functions: ck_table {
    (index == KernelTable.imitation ? ck_table_imitating_tiles() : ck_table_at(index)!).pointee
  }
}
