package import ArgumentParser

/// The root command; every subcommand is listed here and nowhere else.
package struct TL: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "tl",
    abstract: "Retrain image classifiers on your own photos.",
    version: "0.1.0",
    subcommands: [
      ExtractFeatures.self, TrainHead.self, FineTune.self, Evaluate.self, Predict.self,
<<<<<<< HEAD
      Inspect.self, Summary.self, Augment.self, Show.self, MakeDemo.self,
=======
      Inspect.self, Summary.self, Augment.self, Bench.self,
>>>>>>> 872fd9cad886495262f37d10b4a8a5bb99a3b44c
    ])

  package init() {}
}
