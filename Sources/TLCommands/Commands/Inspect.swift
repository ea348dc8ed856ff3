import ArgumentParser
import Training
import Weights

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "x.")
  @OptionGroup var options: ConsoleOptions
}
