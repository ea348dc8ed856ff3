import Architectures
import Compute
import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training
import Weights

/// Models that can and cannot be used as classifiers of photos, and bases that lack something.
struct ModelFileTests {
  private static let fixtures = Locations.tests("WeightsTests/Fixtures") + "/"

  private func classifier(input: [Int], activation: PointwiseFunction) throws -> Network {
    var network = Network(name: "net", inputShape: input, inputName: "input")
    try network.add(Flatten(name: "flatten"))
    let units = activation == .softmax ? 3 : 1
    try network.add(
      Dense(
        name: "dense", kernel: Tensor(zeros: [input.reduce(1, *), units]),
        bias: Tensor(zeros: [units]), activation: activation))
    return network
  }

  @Test func aModelOfGreyPicturesIsRefused() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/m.h5"
      try KerasModel.write(classifier(input: [4, 5, 1], activation: .sigmoid), to: path)
      let error = #expect(throws: TrainingError.self) { try ClassifierModel.load(path) }
      #expect(
        error?.description
          == "'\(path)' takes no colour photos: expected an input [height, width, 3], found "
          + "[4, 5, 1]")
    }
  }

  @Test func namesOfTheFolderServeWhereTheModelHasNone() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/m.h5"
      let network = try classifier(input: [4, 5, 3], activation: .softmax)
      try KerasModel.write(network, to: path)
      let names = ["a", "b", "c"]
      var overrides = ModelOverrides(preprocessing: .tf, fallbackClassNames: names)
      #expect(try ClassifierModel.load(path, overrides: overrides).classNames == names)
      overrides.classNames = ["x", "y", "z"]
      #expect(try ClassifierModel.load(path, overrides: overrides).classNames == ["x", "y", "z"])
      try KerasModel.write(
        network, to: path, extras: ModelExtras(classNames: ["c", "b", "a"]))
      overrides.classNames = nil
      #expect(try ClassifierModel.load(path, overrides: overrides).classNames == ["c", "b", "a"])
    }
  }

  @Test func aModelWithoutFiniteNumbersIsNotWritten() throws {
    try Locations.withTemporaryFolder { folder in
      var network = try classifier(input: [4, 5, 3], activation: .sigmoid)
      network.updateLayer(at: 2) { $0.parameters[1].value.scalars[0] = .infinity }
      let model = ClassifierModel(
        network: network, classNames: ["a", "b"],
        loader: PhotoLoader(height: 4, width: 5, interpolation: .nearest, preprocessing: .tf),
        history: [], baseDescription: "none")
      let error = #expect(throws: TrainingError.self) { try model.save(folder.path + "/m.h5") }
      #expect(
        error?.description == "training ended with numbers in 'dense/bias' that are not finite")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test func onlyTheLayersWantedMustBeInTheFile() throws {
    let path = Self.fixtures + "wrong_missing_layer.h5"
    let base = try BaseLoader.load(path, height: 32, width: 32, layer: "block4_pool")
    #expect(base.report.count(.loaded) == 20 && base.report.count(.skipped) == 4)
    let full = Self.fixtures + "vgg16_keras1.h5"
    let whole = try BaseLoader.load(full, height: 32, width: 32, layer: "block4_pool")
    #expect(base.fingerprint == whole.fingerprint)
    #expect(whole.layer == "block4_pool")
  }

  private static let wrong:
    [(file: String, size: Int, layer: String?, text: String, out: String?)] = [
      (
        "wrong_missing_layer.h5", 32, nil, "2 of 26 tensors missing",
        "--allow-partial loads the rest and leaves the others zero"
      ),
      ("wrong_lenet.h5", 32, nil, "cannot tell which network", nil),
      (
        "vgg16_top_keras1.h5", 64, "fc2",
        "'fc1/kernel' expected [24, 10], found [6, 10]; looks made for pictures of another size",
        "--image-size with the size that the file was made for"
      ),
      (
        "vgg16_keras1.h5", 31, nil,
        "vgg16_keras1.h5': layer 'block5_pool' has nothing left of an input [1, 1, 6]",
        "a larger --image-size"
      ),
      (
        "vgg16_keras1.h5", 32, "block5_con3",
        "vgg16_keras1.h5': no layer matches 'block5_con3': near are 'block5_conv3'",
        "`tl summary` lists the layers"
      ),
    ]

  @Test(arguments: wrong.indices) func errorsNameTheFileAndTheWayOut(index: Int) throws {
    let wrong = Self.wrong[index]
    let error = #expect(throws: TrainingError.self) {
      try BaseLoader.load(
        Self.fixtures + wrong.file, height: wrong.size, width: wrong.size, layer: wrong.layer)
    }
    #expect(error?.description.contains(wrong.text) == true, "\(error?.description ?? "")")
    #expect(error?.wayOut == wrong.out)
  }

  @Test(arguments: ["vgg17", "VGG16", ""]) func unknownNamesListTheKnown(name: String) throws {
    let error = #expect(throws: TrainingError.self) {
      try BaseLoader.load(name, height: 32, width: 32)
    }
    #expect(
      error?.description.hasPrefix(
        "cannot find the base '\(name)': expected a file or one of mini, vgg16, vgg16-top, ")
        == true)
  }

  @Test func headNamesStayClearOfTheBase() throws {
    var network = Network(name: "net", inputShape: [2, 2, 3], inputName: "input")
    try network.add(Flatten(name: "flatten"))
    try network.add(
      Dense(name: "dense", kernel: Tensor(zeros: [12, 4]), bias: Tensor(zeros: [4])))
    var random = SeededRandom(seed: 1)
    try HeadPlan(hidden: 5, dropout: 0.1).add(
      to: &network, classCount: 2, random: &random, taken: ["dense_2"])
    #expect(
      network.nodes.map(\.name)
        == ["input", "flatten", "dense", "dense_1", "dropout", "dense_3"])
  }
}
