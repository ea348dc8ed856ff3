import Compute
import Explain
import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training

/// Whether heat maps lie on the animal, on real photos with boxes drawn by hand (`boxes.txt`).
///
/// Here with a head trained in seconds; `recipes/check-heatmaps` does it with a fine-tuned model.
@Suite(
  .enabled(
    if: Locations.shared != nil, "no TL_SHARED with vgg16_notop.h5 and cats_and_dogs_small"))
struct BoxTests {
  private static let size = 150
  private static let classes = ["cats", "dogs"]
  private static let loader = PhotoLoader(height: size, width: size, preprocessing: .caffe)

  private struct Box {
    let path: String
    let sides: [Double]
  }

  private static func boxes() throws -> [Box] {
    try String(contentsOfFile: Locations.tests("ExplainTests/boxes.txt"), encoding: .utf8)
      .split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { line in
        let words = line.split(separator: " ")
        return Box(path: String(words[0]), sides: words.dropFirst().compactMap { Double($0) })
      }
  }

  @Test func boxesAreBoxes() throws {
    let boxes = try Self.boxes()
    #expect(boxes.count == 20)
    for box in boxes {
      #expect(box.sides.count == 4 && box.sides.allSatisfy { (0...1).contains($0) }, "\(box)")
      let area = (box.sides[2] - box.sides[0]) * (box.sides[3] - box.sides[1])
      #expect(area > 0.05 && area <= 0.5, "\(box)")
    }
  }

  @Test func mapsLieOnTheAnimal() throws {
    let shared = try #require(Locations.shared)
    let data = shared.appending(path: "data/cats_and_dogs_small").path
    let model = try trained(shared.appending(path: "weights/vgg16_notop.h5").path, data)
    let mapper = try HeatMapper(model)
    var ratios: [Double] = []
    for (label, name) in Self.classes.enumerated() {
      let boxes = try Self.boxes().filter { $0.path.hasPrefix(name) }
      let photos = try boxes.map {
        try Self.loader.load(Photo(path: "\(data)/test/\($0.path)", relativePath: $0.path))
      }
      let maps = mapper.maps(Self.loader.tensor(of: photos), label: label)
      for (box, map) in zip(boxes, maps) {
        let sides = box.sides
        let ratio = map.concentration(
          in: (left: sides[0], top: sides[1], right: sides[2], bottom: sides[3]))
        ratios.append(try #require(ratio, "nothing speaks for \(box.path)"))
      }
    }
    // With a model trained on all photos all twenty are, see `recipes/check-heatmaps`.
    #expect(ratios.count { $0 >= 1.5 } >= 18, "\(ratios)")
    #expect(ratios.reduce(0, +) / Double(ratios.count) >= 2, "\(ratios)")
  }

  /// The head of the book's second edition on 120 photos.
  private func trained(_ weights: String, _ data: String) throws -> ClassifierModel {
    let base = try BaseLoader.load(weights, height: Self.size, width: Self.size)
    let photos = (0..<120).map { index in
      let name = Self.classes[index % 2]
      let path = "\(name)/\(name.dropLast()).\(index / 2).jpg"
      return Photo(path: "\(data)/train/\(path)", relativePath: path, label: index % 2)
    }
    let plan = base.network.plan(outputs: [base.network.outputIndex])
    var features: [Float] = []
    try PhotoPass(loader: Self.loader, plan: plan, batchSize: 20, isStrict: true).run(photos) {
      features += $1.scalars
    }
    var model = try ClassifierModel(
      base: base, head: HeadPlan(), classNames: Self.classes, loader: Self.loader, seed: 1)
    model.network.setTrainable(Set(model.headNodes))
    var trainer = try Trainer(
      network: model.network, loss: model.loss,
      settings: TrainingSettings(epochs: 20, batchSize: 32, learningRate: 1e-3, seed: 1))
    let shape = [photos.count] + model.network.nodes[trainer.cut.boundary].shape
    _ = try trainer.train(
      CachedExamples(
        features: Tensor(shape: shape, scalars: features), labels: photos.compactMap(\.label)),
      validation: nil
    ) { _ in }
    model.network = trainer.network
    return model
  }
}
