package import ArgumentParser

/// The root command; every subcommand is listed here and nowhere else.
///
/// Each says its own name: deriving names from types takes milliseconds at every start.
package struct TL: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "tl",
    abstract: "Retrain image classifiers on your own photos.",
    version: "0.1.0",
    subcommands: [
      ExtractFeatures.self, TrainHead.self, FineTune.self, Train.self,
      FindLearningRate.self, Evaluate.self, Predict.self,
      Run.self, Resume.self, Report.self, Show.self, Inspect.self, Summary.self, Export.self,
      Augment.self,
      CheckData.self,
      Split.self, MakeDemo.self, WeightsCommand.self, Bench.self,
    ])

  package init() {}
}
