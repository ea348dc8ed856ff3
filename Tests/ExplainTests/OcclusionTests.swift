import Compute
import Explain
import Images
import Layers
import TestSupport
import Testing
import Training

struct OcclusionTests {
  /// A network that looks at one pixel alone, red at row 2 and column 5 of 8 x 8.
  private static func model() throws -> ClassifierModel {
    var network = Network(name: "n", inputShape: [8, 8, 3], inputName: "input")
    try network.add(Flatten(name: "flatten"))
    var kernel = Tensor(zeros: [192, 1])
    kernel.scalars[(2 * 8 + 5) * 3] = 0.05
    try network.add(
      Dense(
        name: "dense", kernel: kernel, bias: Tensor(shape: [1], scalars: [-6.4]),
        activation: .sigmoid))
    return ClassifierModel(
      network: network, classNames: ["dark", "bright"],
      loader: PhotoLoader(height: 8, width: 8, preprocessing: .none), history: [],
      baseDescription: "")
  }

  @Test func onlyWhatTheNetworkLooksAtMatters() throws {
    let white = RGBImage(width: 8, height: 8, pixels: [UInt8](repeating: 255, count: 192))
    let model = try Self.model()
    let photo = try model.loader.load(bytes: white.png())
    let occlusion = Occlusion(patch: 2, stride: 2)
    var reports: [Int] = []
    let result = try occlusion.run(photo, model: model, label: nil) { done, total in
      #expect(total == 16)
      reports.append(done)
    }
    #expect(reports == [16])
    #expect(result.label == 1)
    // Under the patch's grey the logit is 0.05 * 128 - 6.4 = 0.
    for (index, probability) in result.probabilities.enumerated() {
      #expect(abs(probability - (index == 1 * 4 + 2 ? 0.5 : result.uncovered[1])) < 1e-5)
    }
    let losses = occlusion.losses(result, height: 8, width: 8)
    let found = losses.indices.filter { losses[$0] > 1e-4 }
    #expect(found == [2 * 8 + 4, 2 * 8 + 5, 3 * 8 + 4, 3 * 8 + 5])
  }

  @Test func patchMustFit() throws {
    let model = try Self.model()
    let white = RGBImage(width: 8, height: 8, pixels: [UInt8](repeating: 255, count: 192))
    let photo = try model.loader.load(bytes: white.png())
    #expect(throws: ExplainError.self) {
      try Occlusion(patch: 8, stride: 1).run(photo, model: model, label: nil) { _, _ in }
    }
  }
}
