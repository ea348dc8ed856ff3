import Foundation

/// A workflow as a recipe file tells it: which commands run on which data, and what should come out.
///
///     name: head-on-features
///     data: {train: train, test: test}
///     base: vgg16
///     stages:
///       - name: features
///         command: extract-features
///         data: ${train}
///         base: ${base}
///       - name: head
///         command: train-head
///         features: ${features}
///     expect:
///       head.accuracy: 0.9..1
struct Recipe {
  /// The file that it came from, as given.
  let path: String
  var name: Located<String>
  var description: String?
  /// The folder that `--data` names, if the recipe names it itself.
  var folder: Located<String>?
  /// Folders by the names that stages use for them, relative to the data folder.
  var data: [NamedText] = []
  var base: Located<String>?
  var seed: Located<UInt64>?
  /// With how many seeds the stages run, one after the other.
  var seeds: Located<Int>?
  var stages: [Stage]
  var expectations: [Expectation] = []

  struct NamedText {
    let name: Located<String>
    let text: Located<String>
  }

  /// One command with its options.
  struct Stage {
    let name: Located<String>
    let command: Located<String>
    var options: [Option]
  }

  /// An option, or an argument by its name in the help.
  struct Option {
    let key: Located<String>
    /// Several where the recipe has a list.
    var values: [Located<String>]
    var isList = false
  }
}

/// Something with its place in a recipe, lines and columns counted from 1.
struct Located<Value> {
  let value: Value
  let line: Int
  let column: Int

  func with<New>(_ value: New) -> Located<New> {
    Located<New>(value: value, line: line, column: column)
  }
}

/// What a metric of a stage should be; either end may be open.
struct Expectation {
  let key: Located<String>
  let stage: String
  let metric: String
  let low: Double?
  let high: Double?

  func contains(_ value: Double) -> Bool {
    value >= low ?? -.infinity && value <= high ?? .infinity
  }

  /// Such as `0.88..0.92`.
  var text: String { (low.map { "\($0)" } ?? "") + ".." + (high.map { "\($0)" } ?? "") }

  /// The range written `0.88..0.92`, `0.9..` or `..0.3`, or nil.
  static func range(_ text: String) -> (low: Double?, high: Double?)? {
    let parts = text.components(separatedBy: "..")
    guard parts.count == 2 else { return nil }
    let ends = parts.map { $0.trimmingCharacters(in: .whitespaces) }
    let numbers = ends.map { Double($0) }
    guard zip(ends, numbers).allSatisfy({ $0.isEmpty || $1?.isFinite == true }),
      numbers.contains(where: { $0 != nil }),
      (numbers[0] ?? -.infinity) <= (numbers[1] ?? .infinity)
    else { return nil }
    return (numbers[0], numbers[1])
  }
}

/// What is wrong with a recipe, and where.
struct RecipeError: Error, CustomStringConvertible, WithWayOut {
  let path: String
  let line: Int
  let column: Int
  let words: String
  var wayOut: String?

  init<Value>(_ path: String, _ place: Located<Value>, _ words: String, wayOut: String? = nil) {
    self.init(path, line: place.line, column: place.column, words, wayOut: wayOut)
  }

  init(_ path: String, line: Int, column: Int, _ words: String, wayOut: String? = nil) {
    (self.path, self.line, self.column) = (path, line, column)
    (self.words, self.wayOut) = (words, wayOut)
  }

  var description: String { "\(path):\(line):\(column): \(words)" }

  /// Such as `unknown key 'stage': did you mean 'stages'?`.
  static func unknown(_ what: String, _ word: String, known: [String]) -> String {
    let guess = nearest(to: word, among: known)
    let listed = known.sorted().joined(separator: ", ")
    return "unknown \(what) '\(word)': "
      + (guess.map { "did you mean '\($0)'?" } ?? "expected one of \(listed)")
  }
}
