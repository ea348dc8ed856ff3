import Foundation
import TestSupport
import Testing
import Training
import Weights

/// The real SqueezeNet in TensorFlow's and in Theano's order of kernels is one network.
@Suite(.enabled(if: Locations.shared != nil, "TL_SHARED names no folder with weights"))
struct KernelOrderTests {
  private let theano = "squeezenet_weights_th_dim_ordering_th_kernels_notop.h5"
  private let summary = "kernels are [out, in, height, width], turned by 180 degrees: "

  private func path(_ name: String) throws -> String {
    try #require(Locations.shared).appending(path: "weights/\(name)").path
  }

  private func expected() throws -> String {
    let path = try path("squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5")
    let base = try BaseLoader.load(path)
    #expect(base.name == "squeezenet" && base.report.notes == [])
    return base.fingerprint
  }

  @Test func decidedByName() throws {
    let base = try BaseLoader.load(path(theano))
    #expect(base.fingerprint == (try expected()))
    #expect(
      base.report.notes == [
        summary + "its name says 'th_kernels' and the shapes are [out, in, height, width] "
          + "(--kernel-order says otherwise)"
      ])
  }

  @Test func decidedByShapes() throws {
    try Locations.withTemporaryFolder { folder in
      let copy = folder.appending(path: "squeezenet.h5")
      try FileManager.default.copyItem(at: URL(filePath: path(theano)), to: copy)
      let base = try BaseLoader.load(copy.path)
      #expect(base.fingerprint == (try expected()))
      #expect(
        base.report.notes == [
          summary + "their shapes are Theano's, and neither the file nor its name says what wrote "
            + "it (--kernel-order says otherwise)"
        ])
      let unturned = try BaseLoader.load(copy.path, kernelOrder: KernelOrder(.oihw))
      #expect(unturned.fingerprint != base.fingerprint)
    }
  }
}
