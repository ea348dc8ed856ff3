internal import CKernels
package import Compute

/// Which instruction set the loops on pixels use.
package enum PictureKernels {
  /// The engine's own choice, unless a test says otherwise.
  @TaskLocal package static var chosen = KernelTable.current

  static var functions: ck_picture_table {
    guard let table = ck_picture_table_named(chosen.nameOfOthers) else {
      preconditionFailure("no picture kernels go with '\(chosen.name)'")
    }
    return table.pointee
  }
}

extension AxisWeights {
  /// Calls `body` with what the kernels take.
  func withKernelWeights(_ body: (ck_axis_weights) -> Void) {
    starts.withUnsafeBufferPointer { starts in
      counts.withUnsafeBufferPointer { counts in
        weights.withUnsafeBufferPointer { weights in
          body(
            ck_axis_weights(
              starts: starts.baseAddress, counts: counts.baseAddress,
              weights: weights.baseAddress, stride: stride))
        }
      }
    }
  }
}
