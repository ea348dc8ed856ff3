import ArgumentParser
import Compute
import Explain
import Images
import Training

extension Padding: ExpressibleByArgument {}

struct ShowConvolve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convolve",
    abstract: "Show what a kernel made by hand does to a photo.",
    discussion: """
      The kernel is laid over the photo as Conv2D does, not flipped. One whose weights add up to \
      0 looks for differences: it gets the photo in grey, and middle grey stands for 0 in what \
      comes out. Others work on each colour, cut off at 0 and 255.
      """)

  @Argument(help: "The photo.", completion: .file())
  var photo: String

  @Option(
    help: "sobel-x, sobel-y, sharpen, mean, or a text FILE with rows of numbers.",
    completion: .custom { _, _, prefix in
      HandKernel.known.map(\.name).filter { $0.hasPrefix(prefix) }
        + CompletionKind.paths(startingWith: prefix)
    })
  var kernel: String

  @Option(help: "Whether zeros around the photo keep its size, as in Keras.")
  var padding = Padding.same

  @Option(help: "How far the kernel moves at a time.")
  var stride = 1

  @Option(
    help: "The PNG FILE with photo, kernel and result.",
    completion: .file(extensions: ["png"]))
  var output: String

  @Flag(help: "Leave photos as stored instead of turning them by EXIF.")
  var ignoreOrientation = false

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard (1...64).contains(stride) else {
      throw ValidationError("--stride must be 1 to 64, found \(stride)")
    }
  }

  func run() throws {
    let console = options.console
    try OutputPlace.check(output, inputs: [photo, kernel])
    let weights = try HandKernel.named(kernel)
    // Height and width matter only to what a network takes.
    let loader = PhotoLoader(
      height: 1, width: 1, preprocessing: .none, ignoreOrientation: ignoreOrientation)
    let original: RGBImage
    do throws(ImagesError) {
      original = try loader.original(Photo(path: photo, relativePath: photo))
    } catch {
      throw TrainingError.badPhoto(photo, reason: error.description)
    }
    let result = try HandConvolution(
      original, name: photo, kernel: weights, padding: padding, stride: stride)
    try PictureOutput.write(result.figure(), to: output)
    try console.result("output = floor((input + padding - kernel) / stride) + 1")
    try console.result("rows:    \(result.rows.text)")
    try console.result("columns: \(result.columns.text)")
    try console.result("wrote \(output)")
  }
}
