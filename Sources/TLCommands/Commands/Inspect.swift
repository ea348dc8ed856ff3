import ArgumentParser
import Foundation
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a file with weights holds, and what it is.",
    discussion: """
      Prints every group, dataset and attribute, then whether this is a Keras file, of which \
      format and architecture, and how to use it.
      """)

  @Argument(help: "Any HDF5 FILE, a .keras archive or safetensors.", completion: .file())
  var file: String

  @Flag(help: "Leave the attributes out.")
  var noAttributes = false

  @Flag(help: "Print JSON instead of text.")
  var json = false

  @OptionGroup var kernels: KernelOptions
  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let console = options.console
    let inspection = try Inspection(file, kernelOrder: kernels.kernelOrder)
    if json {
      let report = InspectionReport(inspection, hasAttributes: !noAttributes)
      return try console.write(JSONText.encode(report, isPretty: true) + "\n")
    }
    let width = inspection.lines.map(\.path.count).max() ?? 0
    for line in inspection.lines {
      let path = line.path.padding(toLength: width, withPad: " ", startingAt: 0)
      let row = [path, line.contents, line.storage].filter { !$0.isEmpty }.joined(separator: "  ")
      try console.result(row.trimmingEnd)
      if !noAttributes {
        for attribute in line.attributes { try console.result("    @\(attribute)") }
      }
    }
    try console.result("")
    for sentence in inspection.sentences { try console.result(sentence) }
  }
}

extension String {
  /// Without spaces at the end.
  fileprivate var trimmingEnd: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}

/// What `tl inspect --json` prints.
private struct InspectionReport: Encodable {
  struct Object: Encodable {
    let path: String
    let contents: String
    let storage: String
    /// Left out with --no-attributes.
    let attributes: [String]?
  }

  let objects: [Object]
  let sentences: [String]

  init(_ inspection: Inspection, hasAttributes: Bool) {
    objects = inspection.lines.map {
      Object(
        path: $0.path, contents: $0.contents, storage: $0.storage,
        attributes: hasAttributes ? $0.attributes : nil)
    }
    sentences = inspection.sentences
  }
}
