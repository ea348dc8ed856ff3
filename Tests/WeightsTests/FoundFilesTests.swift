import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

/// Models that other people saved with many versions of Keras give what Keras makes of them, or are
/// refused for a reason that is true: see `Tests/Reference/make_found_goldens.py`.
@Suite(.enabled(if: Locations.shared != nil, "TL_SHARED names no folder with weights"))
struct FoundFilesTests {
  private static let folder = Locations.shared?.appending(path: "weights/found").path ?? ""
  /// Another input than that of the goldens: see `recipes/check-found`.
  private static let goldens =
    ProcessInfo.processInfo.environment["TL_FOUND_GOLDENS"] ?? fixture("found_expected.h5")
  private static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

  @Test(arguments: names)
  func isRightOrRefused(_ name: String) throws {
    let path = Self.folder + "/" + name
    do {
      let model = try KerasModel.read(path)
      let expected = try HDF5File.open(Self.goldens).root
      #expect(model.report.rows.allSatisfy { $0.status == .loaded })
      let network = model.network
      let isTurned = model.report.notes.contains { $0.contains("channels first") }
      let (input, output) = (
        try picture(expected.tensor(name + "/input"), isTurned: isTurned),
        try picture(expected.tensor(name + "/output"), isTurned: isTurned)
      )
      expectClose(
        network.plan(outputs: [network.outputIndex]).run(input)[0].scalars, output.scalars,
        absolute: 1e-5, relative: 1e-4, name)
    } catch WeightsError.noConfiguration {
      let file = try KerasFile(path)
      defer { file.close() }
      #expect(!file.hasConfiguration)
    } catch WeightsError.unusableLayers(.unknownClass(let className, _), _) {
      #expect(!LayerRegistry.knownClassNames.contains(className))
    }
  }

  /// The tensor, of a model with its channels first `[n, c, h, w]` as `[n, h, w, c]`.
  private func picture(_ x: Tensor, isTurned: Bool) -> Tensor {
    guard isTurned, x.shape.count == 4 else { return x }
    let shape = Array(x.shape.dropFirst())
    return Gather(shape: shape, order: [1, 2, 0])(x, shape: [shape[1], shape[2], shape[0]])
  }
}
