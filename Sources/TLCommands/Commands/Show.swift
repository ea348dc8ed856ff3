import ArgumentParser

/// Groups the commands that look inside a network.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Look inside a network, as pictures.",
    subcommands: [
      ShowActivations.self, ShowFilters.self, ShowHeatmap.self, ShowOcclusion.self,
      ShowKernels.self, ShowConvolve.self,
    ])
}
