internal import CKernels

extension KernelTable {
  /// The inner loops of training for the same instruction set.
  var training: ck_training_table {
    guard let table = ck_training_table_named(functions.others) else {
      preconditionFailure("no training kernels go with '\(name)'")
    }
    return table.pointee
  }
}
