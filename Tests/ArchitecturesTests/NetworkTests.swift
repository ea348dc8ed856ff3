import Architectures
import Layers
import Testing

/// What all networks by name share: sizes, cards, and how files are recognised.
struct NetworkTests {
  /// What a file of that network holds.
  private func stored(_ network: Network) -> [StoredLayer] {
    network.nodes.filter(\.hasParameters).map {
      StoredLayer(name: $0.name, shapes: $0.layer.parameters.map(\.value.shape))
    }
  }

  /// Numbers of keras.applications, with and without top, and of recipes/history_networks.py.
  @Test(arguments: [
    ("resnet50v2", 23_564_800, 25_613_800, 192), ("resnet101v2", 42_626_560, 44_675_560, 379),
    ("resnet152v2", 58_331_648, 60_380_648, 566), ("densenet121", 7_037_504, 8_062_504, 429),
    ("densenet169", 12_642_880, 14_307_880, 597), ("densenet201", 18_321_984, 20_242_984, 709),
    ("inception_v3", 21_802_784, 23_851_784, 313), ("xception", 20_861_480, 22_910_480, 134),
    ("mobilenet-0.25", 218_544, 475_544, 91), ("mobilenet-0.5", 829_536, 1_342_536, 91),
    ("mobilenet-0.75", 1_832_976, 2_601_976, 91), ("mobilenet", 3_228_864, 4_253_864, 91),
    ("mobilenet_v2-0.35", 410_208, 1_691_208, 156),
    ("mobilenet_v2-0.5", 706_224, 1_987_224, 156),
    ("mobilenet_v2-0.75", 1_382_064, 2_663_064, 156),
    ("mobilenet_v2", 2_257_984, 3_538_984, 156),
    ("mobilenet_v2-1.3", 3_766_048, 5_431_048, 156),
    ("mobilenet_v2-1.4", 4_363_712, 6_156_712, 156), ("squeezenet", 722_496, 1_235_496, 67),
    ("alexnet", 2_334_080, 60_965_224, 17), ("googlenet", 5_973_552, 6_998_552, 86),
    ("lenet-5", 2872, 62_006, 9),
  ])
  func hasTheParametersOfKeras(name: String, base: Int, whole: Int, layers: Int) throws {
    let architecture = try #require(Architectures.named(name))
    let side = architecture.card.inputSize
    #expect(try architecture.network(inputShape: [side, side, 3]).parameterCount == base)
    let network = try architecture.network(inputShape: [side, side, 3], includesTop: true)
    #expect(network.parameterCount == whole)
    #expect(network.nodes.count == layers)
    #expect(network.nodes[network.headStart...].map(\.name) == architecture.topNames)
    #expect(architecture.isPublished)
  }

  @Test(arguments: Architectures.all.map(\.name))
  func isRecognisedByItsOwnLayers(name: String) throws {
    let architecture = try #require(Architectures.named(name))
    // Small, since the classifiers of some have a row for every pixel.
    let side = min(architecture.card.inputSize, 80)
    for includesTop in [false, true] {
      let layers = stored(
        try architecture.network(inputShape: [side, side, 3], includesTop: includesTop))
      let found = try #require(Architectures.identify(layers))
      #expect(found.name == name)
      #expect(found.isPublished)
      // People's own classifiers do not matter.
      let classified = layers + [StoredLayer(name: "dense", shapes: [[7, 3], [3]])]
      #expect(Architectures.identify(classified)?.name == name)
      let other = layers + [StoredLayer(name: "other", shapes: [[3, 3, 7, 7], [7]])]
      #expect(Architectures.identify(other)?.name == nil)
    }
  }

  @Test func slashesInNamesDoNotMatter() throws {
    let layers = stored(
      try #require(Architectures.named("squeezenet")).network(
        inputShape: [227, 227, 3]))
    let slashed = layers.map { layer in
      let parts = layer.name.split(separator: "_")
      return StoredLayer(name: parts.joined(separator: "/"), shapes: layer.shapes)
    }
    #expect(slashed[1].name == "fire2/squeeze1x1")
    #expect(Architectures.identify(slashed)?.name == "squeezenet")
  }

  /// Keras goes on counting where an earlier model of the session ended.
  @Test(arguments: [("conv2d", "batch_normalization"), ("convolution2d", "batchnormalization")])
  func numbersStartAnywhere(convolution: String, normalization: String) throws {
    let inception = try #require(Architectures.named("inception_v3"))
    let layers = stored(try inception.network(inputShape: [299, 299, 3]))
    let moved = layers.map { layer in
      let parts = layer.name.split(separator: "_")
      let stem = parts[0] == "batch" ? normalization : convolution
      return StoredLayer(
        name: "\(stem)_\((parts.last.flatMap { Int($0) } ?? 0) + 96)", shapes: layer.shapes)
    }
    let found = try #require(Architectures.identify(moved.shuffled()))
    #expect(found.name == "inception_v3" && found.isPublished)
    // The network has the file's names in Keras's order.
    #expect(stored(try found.network(inputShape: [299, 299, 3])) == moved)
    // Without one of them nobody knows which is which.
    #expect(Architectures.identify(Array(moved.dropLast()))?.name == nil)
    #expect(Architectures.identify(Array(moved.dropFirst()))?.name == nil)
  }

  @Test func aPartOfANamedNetworkIsEnough() throws {
    let dense = try #require(Architectures.named("densenet169"))
    let layers = stored(try dense.network(inputShape: [224, 224, 3]))
    let missing = layers.filter { !$0.name.hasPrefix("conv5_block32") }
    #expect(Architectures.identify(missing)?.name == "densenet169")
    #expect(Architectures.identify(Array(layers.prefix(60)))?.name == nil)
  }

  @Test(arguments: Architectures.all.map(\.name))
  func everyCardIsComplete(name: String) throws {
    let card = try #require(Architectures.named(name)).card
    #expect(["caffe", "tf", "torch", "rescale"].contains(card.preprocessing))
    #expect((32...299).contains(card.inputSize))
    #expect(!card.licence.isEmpty && !card.origin.isEmpty)
    for file in card.files {
      #expect(file.md5.map { $0.count == 32 } ?? true)
      #expect(file.url.hasPrefix("https://") && file.url.hasSuffix(".h5"))
      let isWithoutTop = file.url.hasSuffix("_notop.h5") || file.url.hasSuffix("_no_top.h5")
      #expect(isWithoutTop == !file.includesTop)
      #expect(file.name == (file.includesTop ? name + "-top" : name) || file.name.contains("-v0.2"))
    }
    let digests = card.files.compactMap(\.md5)
    #expect(Set(digests).count == digests.count)
  }

  @Test func namesAreUnique() {
    let names = Architectures.all.map(\.name)
    #expect(Set(names).count == names.count)
    let files = Architectures.all.flatMap(\.card.files)
    #expect(Set(files.map(\.name)).count == files.count)
    #expect(Set(files.map(\.fileName)).count == files.count)
  }

  @Test func blocksWithoutNamesAreTheirEnds() throws {
    var network = try #require(Architectures.named("inception_v3")).network(
      inputShape: [96, 96, 3])
    for (pattern, count, boundary) in [
      ("mixed10", 9, "mixed9"), ("mixed9,mixed10", 18, "mixed8"), ("mixed0", 7, "max_pooling2d_1"),
      ("from:mixed10", 9, "mixed9"),
    ] {
      let chosen = try LayerSelection(pattern).nodes(in: network)
      #expect(chosen.count { network.nodes[$0].layer is Conv2D } == count, "\(pattern)")
      network.setTrainable(chosen)
      #expect(network.nodes[try FreezeCut(network).boundary].name == boundary, "\(pattern)")
    }
    let residual = try #require(Architectures.named("resnet50v2")).network(
      inputShape: [64, 64, 3])
    let last = try LayerSelection("conv5_block3_out").nodes(in: residual)
    #expect(last == (try LayerSelection("conv5_block3").nodes(in: residual)))
  }
}
