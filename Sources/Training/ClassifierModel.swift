package import Architectures
package import Compute
import Foundation
package import Images
package import Layers
import Weights

/// A network that classifies photos, with all that is needed to use it.
package struct ClassifierModel: Sendable {
  package var network: Network
  /// The class names in the order of their labels.
  package var classNames: [String]
  /// How photos are brought to the network's input.
  package var loader: PhotoLoader
  /// The epochs it was trained for, oldest first, one list a run.
  package var history: [TrainingRun]
  /// Where the base came from, such as `vgg16 from vgg16_notop.h5`.
  package var baseDescription: String
  /// What predictions and the frozen prefix of a training multiply; not stored.
  package var precision = Precision.f32
  /// What was done to tensors of its file besides copying them, for people; not stored.
  package var notes: [String] = []

  package init(
    network: Network, classNames: [String], loader: PhotoLoader, history: [TrainingRun],
    baseDescription: String
  ) {
    self.network = network
    self.classNames = classNames
    self.loader = loader
    self.history = history
    self.baseDescription = baseDescription
  }

  package var loss: Loss {
    network.outputShape == [1] ? .binaryCrossentropy : .categoricalCrossentropy
  }

  /// What suits the weights of the base, if it is one of a known architecture.
  package var defaults: WeightDefaults {
    let layers = network.nodes[..<network.headStart].filter(\.hasParameters).map {
      StoredLayer(name: $0.name, shapes: $0.layer.parameters.map(\.value.shape))
    }
    return Architectures.identify(layers)?.card.defaults ?? WeightDefaults()
  }

  /// The nodes of the classifier on top of the base.
  package var headNodes: Range<Int> { network.headStart..<network.nodes.count }
}

/// One training run as it is remembered in a model file.
package struct TrainingRun: Codable, Sendable, Equatable {
  /// What was done, such as `train-head` or `fine-tune`.
  package var command: String
  /// What was trained, such as `block5_conv1, block5_conv2, block5_conv3 and the head`.
  package var trained: String
  package var optimizer: String
  package var learningRate: Double
  package var batchSize: Int
  package var seed: UInt64
  /// How the learning rate went; nil where it stayed.
  package var schedule: LearningRateSchedule?
  /// Nil where targets were not smoothed.
  package var labelSmoothing: Double?
  /// Everything else that was asked for, such as `weight decay 0.01`; nil for nothing.
  package var learning: String?
  /// What was unfrozen when, such as `head:5, block5:10`; nil where it stayed.
  package var unfreezing: String?
  /// The epoch whose weights were kept, where it need not be the last.
  package var bestEpoch: Int?
  /// Whether the run ended before its last epoch; nil if not.
  package var stoppedEarly: Bool?
  /// The momentum of the average that the weights are; nil where they are none.
  package var averaging: Double?
  package var photos: Int
  package var proof: String
  /// A digest of the digests of all frozen tensors, the same before and after the run.
  package var frozenDigest: String?
  /// How photos were changed at random, nil if they were not.
  package var augmentation: AugmentationPlan?
  /// Whose features were learned too, nil without a teacher.
  package var teacher: String?
  package var epochs: [EpochResult]

  package init(
    command: String, trained: String, settings: TrainingSettings, photos: Int, proof: String,
    frozenDigest: String? = nil,
    augmentation: AugmentationPlan? = nil, teacher: String? = nil, epochs: [EpochResult]
  ) {
    self.command = command
    self.trained = trained
    optimizer = settings.rule.name
    learningRate = Double("\(settings.learningRate)") ?? Double(settings.learningRate)
    batchSize = settings.batchSize
    seed = settings.seed
    schedule = settings.schedule == LearningRateSchedule() ? nil : settings.schedule
    labelSmoothing = settings.labelSmoothing == 0 ? nil : Double("\(settings.labelSmoothing)")
    learning = settings.rareSummary
    averaging = settings.averaging.flatMap { Double("\($0)") }
    self.photos = photos
    self.proof = proof
    self.frozenDigest = frozenDigest
    self.augmentation = augmentation
    self.teacher = teacher
    self.epochs = epochs
  }
}

/// The classifier on top of a base, as in the book: Flatten, Dense with relu, Dropout, Dense.
package struct HeadPlan: Sendable {
  /// Units of the hidden layer; 0 leaves it and the dropout out.
  package var hidden: Int
  package var dropout: Double
  /// How the kernels are drawn.
  package var initializer: KernelInitializer

  package init(
    hidden: Int = 256, dropout: Double = 0.5, initializer: KernelInitializer = .glorotUniform
  ) {
    self.hidden = hidden
    self.dropout = dropout
    self.initializer = initializer
  }

  /// Adds the head's layers, drawn afresh, after the network's output.
  ///
  /// - Parameters:
  ///   - classCount: two classes get one sigmoid output, more get a softmax each.
  ///   - taken: names that layers cannot have besides those of the network.
  package func add(
    to network: inout Network, classCount: Int, random: inout SeededRandom,
    taken: Set<String> = []
  ) throws(LayerError) {
    let start = network.nodes.count
    var names = LayerNames(taken.union(network.nodes.map(\.name)))
    if network.outputShape.count == 3 { try network.add(Flatten(name: names.next("flatten"))) }
    func dense(_ name: String, _ units: Int, _ activation: PointwiseFunction) -> Dense {
      Dense(
        name: name, kernel: Tensor(zeros: [network.outputShape[0], units]),
        bias: Tensor(zeros: [units]), activation: activation)
    }
    if hidden > 0 {
      try network.add(dense(names.next("dense"), hidden, .relu))
      if dropout > 0 { try network.add(Dropout(name: names.next("dropout"), rate: dropout)) }
    }
    let last = names.next("dense")
    try network.add(
      classCount == 2 ? dense(last, 1, .sigmoid) : dense(last, classCount, .softmax))
    network.initialize(random: &random, kernels: initializer) { $0 >= start }
  }
}

/// Names for new layers as Keras gives them: `dense`, `dense_1`, ..., without those in use.
private struct LayerNames {
  private var taken: Set<String>

  init(_ taken: Set<String>) { self.taken = taken }

  mutating func next(_ name: String) -> String {
    var (free, count) = (name, 0)
    while !taken.insert(free).inserted {
      count += 1
      free = "\(name)_\(count)"
    }
    return free
  }
}
