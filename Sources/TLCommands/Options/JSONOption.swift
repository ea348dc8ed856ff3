import ArgumentParser

/// Whether a command prints its result for a program.
struct JSONOption: ParsableArguments {
  @Flag(help: "Print JSON instead of text.")
  var json = false

  /// Prints one JSON document, or with `text` what a person reads.
  func print(
    _ value: @autoclosure () -> some Encodable, on console: Console, text: () throws -> Void
  ) throws {
    guard json else { return try text() }
    try console.write(JSONText.encode(value(), isPretty: true) + "\n")
  }
}
