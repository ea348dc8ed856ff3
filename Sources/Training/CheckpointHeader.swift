import Foundation

/// All of a checkpoint but its tensors, of which it has the names in order.
struct CheckpointHeader: Codable {
  struct Slot: Codable {
    var parameter: String
    var steps: Int
    var tensors: [String]
  }

  struct Position: Codable {
    var batches: Int
    var examples: Int
    var right: Int
    var loss: Double
    var seconds: Double
  }

  struct Best: Codable {
    var epoch: Int
    var value: Double
    var parameters: [String]
  }

  var format: Int
  var phase: Int
  var finished: [TrainingRun]
  var digests: [String: String]
  var photos: String
  var kernels: String
  var rule: String
  var step: Int
  var random: [UInt64]
  var history: [EpochResult]
  var seconds: [Double?]
  var position: Position?
  var stageEnds: [Int]
  var best: Best?
  var plateau: PlateauCounters
  var stopping: StoppingCounters
  var parameters: [String]
  var averages: [String]
  var slots: [Slot]

  static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  init(_ checkpoint: TrainingCheckpoint, format: Int) {
    let state = checkpoint.state
    self.format = format
    phase = checkpoint.phase
    finished = checkpoint.finished
    digests = checkpoint.digests
    photos = checkpoint.photos
    kernels = checkpoint.kernels
    rule = state.rule
    step = state.step
    random = state.random
    history = state.history
    seconds = state.history.map(\.seconds)
    position = state.position.map {
      Position(
        batches: $0.batches, examples: $0.examples, right: $0.right, loss: $0.loss,
        seconds: $0.seconds)
    }
    stageEnds = state.stageEnds
    best = state.best.map {
      Best(epoch: $0.epoch, value: $0.value, parameters: $0.parameters.map(\.name))
    }
    plateau = state.plateau
    stopping = state.stopping
    parameters = state.parameters.map(\.name)
    averages = state.averages.map(\.name)
    slots = state.slots.map {
      Slot(parameter: $0.parameter, steps: $0.steps, tensors: $0.tensors.map(\.name))
    }
  }

  /// - Parameter tensors: reads tensors of those names from a place.
  func checkpoint(
    order: [Int], tensors: ([String], String) throws -> [TrainingState.NamedTensor]
  ) throws -> TrainingCheckpoint {
    var history = history
    for (index, seconds) in zip(history.indices, seconds) { history[index].seconds = seconds }
    var state = TrainingState(
      parameters: try tensors(parameters, "parameters"), rule: rule, step: step,
      slots: try slots.map {
        .init(
          parameter: $0.parameter, steps: $0.steps,
          tensors: try tensors($0.tensors, "slots/\($0.parameter)"))
      }, random: random, history: history)
    if let position {
      var place = TrainingState.Position(order: order)
      place.batches = position.batches
      place.examples = position.examples
      place.right = position.right
      place.loss = position.loss
      place.seconds = position.seconds
      state.position = place
    }
    state.best = try best.map {
      .init(epoch: $0.epoch, value: $0.value, parameters: try tensors($0.parameters, "best"))
    }
    state.plateau = plateau
    state.stopping = stopping
    state.stageEnds = stageEnds
    state.averages = try tensors(averages, "averages")
    return TrainingCheckpoint(
      phase: phase, finished: finished, digests: digests, state: state, photos: photos,
      kernels: kernels)
  }
}

extension JSONDecoder {
  /// Reads what `CheckpointHeader.encoder` wrote.
  static var checkpoint: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}
