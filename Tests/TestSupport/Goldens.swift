package import Compute
import Foundation
package import HDF5

/// Tensors that a reference library computed, in an HDF5 file among a test's resources.
extension HDF5Group {
  /// The dataset of that name as a tensor.
  package func tensor(_ name: String) throws -> Tensor {
    let dataset = try dataset(name)
    return Tensor(shape: dataset.shape, scalars: try dataset.readFloats())
  }

  /// The dataset of that name as whole numbers, such as labels.
  package func integers(_ name: String) throws -> [Int] {
    try dataset(name).readIntegers().map { Int($0) }
  }
}

extension Bundle {
  /// The path of a test's resource, such as `Goldens/layers.h5`.
  package func path(to resource: String) -> String {
    bundleURL.appending(path: resource).path
  }
}
