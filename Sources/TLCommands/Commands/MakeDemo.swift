import ArgumentParser
import Demo

struct MakeDemo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "make-demo",
    abstract: "Draw pictures of cats and dogs to try everything without photos.",
    discussion: """
      Makes train, validation and test, each with cats and dogs, in a new folder. Half of the \
      pictures are for training. The same options give the same pictures.
      """)

  @Argument(help: "The new folder.", completion: .directory)
  var folder: String

  @Option(help: "How many pictures in all.")
  var photos = 600

  @Option(help: "The longer side of the largest pictures, in pixels.")
  var size = 256

  @Option(help: "The seed of the pictures.")
  var seed: UInt64 = 0

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    let (photoLimits, sizeLimits) = (DemoFolder.photoLimits, DemoFolder.sizeLimits)
    guard photoLimits.contains(photos) else {
      throw ValidationError(
        "--photos must be \(photoLimits.lowerBound) to \(photoLimits.upperBound), found \(photos)")
    }
    guard sizeLimits.contains(size) else {
      throw ValidationError(
        "--size must be \(sizeLimits.lowerBound) to \(sizeLimits.upperBound), found \(size)")
    }
  }

  func run() throws {
    let console = options.console
    let progress = Progress(title: "pictures", total: photos, unit: "pictures", console: console)
    try DemoFolder(photos: photos, size: size, seed: seed).write(to: folder) { done in
      try Interrupt.check()
      progress.advance(to: done)
    }
    progress.finish()
    try format.print(DemoReport(data: folder, pictures: photos, seed: seed), on: console) {
      try console.result(
        "wrote \(folder): \(photos) pictures in train, validation and test, "
          + "each with cats and dogs")
    }
  }

  /// What is printed with `--json`.
  private struct DemoReport: Encodable {
    let data: String
    let pictures: Int
    let seed: UInt64
  }
}
