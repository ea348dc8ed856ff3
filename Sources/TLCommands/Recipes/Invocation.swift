import ArgumentParser
import Foundation

/// How a command was called, so that its run can be repeated.
struct Invocation {
  let name: String
  let type: any ParsableCommand.Type
  /// Without the command's own name.
  let arguments: [String]

  /// The call that runs at present.
  @TaskLocal static var current: Invocation?

  /// What the command takes; asked for only where a run is kept, as finding it out takes a while.
  var command: CommandOptions { CommandOptions(name, type) }

  /// What was given, option by option, as a recipe has it.
  var given: [(key: String, values: [String])] {
    let command = command
    var given: [(key: String, values: [String])] = []
    func add(_ key: String, _ value: String, isRepeating: Bool) {
      if let index = given.firstIndex(where: { $0.key == key }) {
        if isRepeating { given[index].values.append(value) } else { given[index].values = [value] }
      } else {
        given.append((key, [value]))
      }
    }
    var (rest, positionals) = (arguments[...], command.options.filter { $0.kind == .positional })
    while let word = rest.popFirst() {
      guard word.hasPrefix("--"), word.count > 2 else {
        guard word != "--", let option = positionals.first else { continue }
        add(option.key, word, isRepeating: option.isRepeating)
        if !option.isRepeating { positionals.removeFirst() }
        continue
      }
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let key = String(parts[0])
      if let option = command[key], option.kind == .option {
        let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() ?? ""
        add(key, value, isRepeating: option.isRepeating)
      } else if key.hasPrefix("no-"), command[String(key.dropFirst(3))]?.kind == .flag {
        add(String(key.dropFirst(3)), "false", isRepeating: false)
      } else {
        add(key, "true", isRepeating: false)
      }
    }
    return given
  }

  /// A recipe of one stage that repeats this call: every option with its value, defaults included,
  /// paths absolute.
  ///
  /// - Parameter chosen: what the command itself chose where nothing was given.
  func recipe(name: String, chosen: [(key: String, value: String)]) throws -> String {
    let command = command
    let given = given.filter { !CommandOptions.places.contains($0.key) }
    let more = chosen.filter { choice in
      command[choice.key] != nil && !given.contains { $0.key == choice.key }
    }
    let options = command.resolved(given + more.map { ($0.key, [$0.value]) })
    let text = RecipeText(
      name: name, description: nil,
      stages: [.init(name: command.name, command: command.name, options: options)])
    return try text.yaml("The run as it was resolved; `tl run` repeats it from this file.")
  }
}

extension CommandOptions {
  /// Options that say where something is written and how: no part of what is to be repeated.
  static let places: Set = ["output", "run", "seeds", "quiet", "json"]

  /// Every option with its values: those given, else the parser's defaults; paths absolute.
  func resolved(
    _ given: [(key: String, values: [String])]
  ) -> [(key: String, values: [String])] {
    options.filter { !Self.places.contains($0.key) }.compactMap { option in
      if let known = given.first(where: { $0.key == option.key }) {
        return (option.key, known.values.map(option.absolute))
      }
      guard option.kind != .flag else {
        // Of a pair such as --flip and --no-flip neither may have been asked for.
        let hasOpposite = self["no-\(option.key)"] != nil || option.key.hasPrefix("no-")
        return hasOpposite ? nil : (option.key, ["false"])
      }
      return option.defaultValue.map { (option.key, [$0]) }
    }
  }
}

extension CommandOptions.Option {
  /// A path as it is named from everywhere; names of bases and references stay.
  func absolute(_ value: String) -> String {
    guard let completionKind, completionKind != .other, !value.isEmpty, !value.hasPrefix("${")
    else { return value }
    let isThere = FileManager.default.fileExists(atPath: value)
    guard completionKind == .path || isThere else { return value }
    return URL(filePath: value).standardizedFileURL.path
  }
}
