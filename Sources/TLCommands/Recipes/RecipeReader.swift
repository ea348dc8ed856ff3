import Foundation
import Yams

/// Reads recipe files; everything odd is an error with its line.
struct RecipeReader {
  let path: String

  /// The recipe in a file.
  static func read(_ path: String) throws -> Recipe {
    guard let data = FileManager.default.contents(atPath: path) else {
      var isFolder: ObjCBool = false
      let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      throw RecipeFileError(
        path: path,
        reason: isFolder.boolValue
          ? "expected a file, found a folder"
          : exists ? "no permission to read it" : "no such file")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw RecipeFileError(path: path, reason: "expected YAML in UTF-8")
    }
    return try RecipeReader(path: path).recipe(text)
  }

  func recipe(_ text: String) throws -> Recipe {
    let fields = try fields(root(text), of: "a recipe")
    try check(fields, known: Self.keys)
    func field(_ name: String) -> Node? { fields.first { $0.key.value == name }?.node }
    func value(_ name: String) throws -> Located<String>? {
      try field(name).map { try scalar($0, "'\(name)'") }
    }
    guard let name = try value("name") else { throw lacks("name") }
    guard name.value.wholeMatch(of: Self.nameForm) != nil else {
      throw RecipeError(
        path, name,
        "the name '\(name.value)' also names a folder: expected letters, digits, '.', '_', '-'")
    }
    guard let list = field("stages") else { throw lacks("stages") }
    guard case .sequence(let nodes) = list, !nodes.isEmpty else {
      throw error(list, "'stages' must be a list of stages, found \(kind(list))")
    }
    var recipe = Recipe(
      path: path, name: name, description: try value("description")?.value,
      base: try value("base"), seed: try value("seed").map(seed),
      seeds: try value("seeds").map(seeds),
      stages: try nodes.map(stage))
    if let data = field("data") { try read(data, into: &recipe) }
    try requireDistinct(recipe)
    if let expected = field("expect") {
      recipe.expectations = try self.fields(expected, of: "'expect'").map {
        try expectation($0.key, $0.node, recipe.stages)
      }
    }
    return recipe
  }

  private static let keys = [
    "name", "description", "data", "base", "seed", "seeds", "stages", "expect",
  ]
  private static var nameForm: Regex<Substring> { /[A-Za-z0-9][A-Za-z0-9._-]*/ }

  private func root(_ text: String) throws -> Node {
    do {
      guard let node = try compose(yaml: text) else {
        throw RecipeError(path, line: 1, column: 1, "expected a recipe, found nothing")
      }
      return node
    } catch let error as YamlError {
      throw RecipeError(path, error)
    }
  }

  private func read(_ node: Node, into recipe: inout Recipe) throws {
    for (key, value) in try fields(node, of: "'data'") {
      let text = try scalar(value, "'\(key.value)'")
      if key.value == "folder" {
        recipe.folder = text
      } else {
        recipe.data.append(.init(name: key, text: text))
      }
    }
  }

  private func seed(_ text: Located<String>) throws -> Located<UInt64> {
    guard let seed = UInt64(text.value) else {
      throw RecipeError(path, text, "'seed' must be a whole number, found '\(text.value)'")
    }
    return text.with(seed)
  }

  private func seeds(_ text: Located<String>) throws -> Located<Int> {
    guard let count = Int(text.value), (1...1000).contains(count) else {
      throw RecipeError(path, text, "'seeds' must be 1 to 1000, found '\(text.value)'")
    }
    return text.with(count)
  }

  private func stage(_ node: Node) throws -> Recipe.Stage {
    var fields = try fields(node, of: "a stage")
    func take(_ name: String) throws -> Located<String> {
      guard let index = fields.firstIndex(where: { $0.key.value == name }) else {
        throw error(node, "this stage lacks '\(name)'")
      }
      return try scalar(fields.remove(at: index).node, "'\(name)'")
    }
    let (name, command) = (try take("name"), try take("command"))
    guard name.value.wholeMatch(of: Self.nameForm) != nil else {
      throw RecipeError(
        path, name,
        "a stage's name is also a file's: expected letters, digits, '.', '_', '-', "
          + "found '\(name.value)'")
    }
    let options = try fields.map { key, node in
      if case .sequence(let items) = node {
        return Recipe.Option(
          key: key, values: try items.map { try scalar($0, "'\(key.value)'") }, isList: true)
      }
      return Recipe.Option(key: key, values: [try scalar(node, "'\(key.value)'")])
    }
    return Recipe.Stage(name: name, command: command, options: options)
  }

  /// Names of data, stages and `base` are one space, as all are written `${name}`.
  private func requireDistinct(_ recipe: Recipe) throws {
    var taken: Set = ["data", "base", "run"]
    for name in recipe.data.map(\.name) + recipe.stages.map(\.name)
    where !taken.insert(name.value).inserted {
      throw RecipeError(path, name, "the name '\(name.value)' is already taken")
    }
  }

  private func expectation(
    _ key: Located<String>, _ node: Node, _ stages: [Recipe.Stage]
  ) throws -> Expectation {
    let text = try scalar(node, "'\(key.value)'")
    guard let range = Expectation.range(text.value) else {
      throw RecipeError(
        path, text, "'\(key.value)' must be a range such as 0.88..0.92, found '\(text.value)'")
    }
    let names = stages.map(\.name.value)
    guard let dot = key.value.lastIndex(of: ".") else {
      throw RecipeError(
        path, key,
        "expected a stage and its metric, such as "
          + "'\(names.last ?? "test").accuracy', found '\(key.value)'")
    }
    let stage = String(key.value[..<dot])
    guard names.contains(stage) else {
      throw RecipeError(path, key, RecipeError.unknown("stage", stage, known: names))
    }
    return Expectation(
      key: key, stage: stage, metric: String(key.value[key.value.index(after: dot)...]),
      low: range.low, high: range.high)
  }
}

// What all of these readers are made of.
extension RecipeReader {
  private typealias Field = (key: Located<String>, node: Node)

  private func fields(_ node: Node, of what: String) throws -> [Field] {
    guard case .mapping(let mapping) = node else {
      throw error(node, "\(what) must be 'key: value' lines, found \(kind(node))")
    }
    return try mapping.map { key, value in (try scalar(key, "a key"), value) }
  }

  private func check(_ fields: [Field], known: [String]) throws {
    for field in fields where !known.contains(field.key.value) {
      throw RecipeError(
        path, field.key, RecipeError.unknown("key", field.key.value, known: known))
    }
  }

  private func scalar(_ node: Node, _ what: String) throws -> Located<String> {
    guard case .scalar(let scalar) = node else {
      throw error(node, "\(what) must be one value, found \(kind(node))")
    }
    if scalar.style == .plain, ["", "~", "null"].contains(scalar.string) {
      throw error(node, "\(what) has no value")
    }
    let mark = node.mark
    return Located(value: scalar.string, line: mark?.line ?? 1, column: mark?.column ?? 1)
  }

  private func kind(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string)'"
    case .mapping: "'key: value' lines"
    case .sequence(let list): list.isEmpty ? "an empty list" : "a list"
    case .alias: "an alias"
    }
  }

  private func error(_ node: Node, _ words: String) -> RecipeError {
    RecipeError(path, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, words)
  }

  private func lacks(_ key: String) -> RecipeError {
    RecipeError(path, line: 1, column: 1, "the recipe lacks '\(key)'")
  }
}

extension RecipeError {
  /// What libyaml says, with its place.
  fileprivate init(_ path: String, _ error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(path, line: mark.line, column: mark.column, "this is not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = Set(duplicates).sorted().map { "'\($0)'" }.joined(separator: ", ")
      self.init(
        path, line: context.mark.line, column: context.mark.column,
        "\(names) stands here more than once")
    default:
      self.init(path, line: 1, column: 1, "this is not YAML: \(error)")
    }
  }
}

/// A recipe that cannot be read at all.
struct RecipeFileError: Error, CustomStringConvertible {
  let path: String
  let reason: String

  var description: String { "cannot read the recipe '\(path)': \(reason)" }
}
