import ArgumentParser
import Foundation

/// What `tl run` adds to a recipe or changes in it.
struct RecipeChanges {
  var data: String?
  var base: String?
  /// The seed of every stage that takes one, in place of its own.
  var seed: UInt64?
  /// `STAGE.OPTION` or `OPTION`, and its value.
  var options: [(name: String, value: String)] = []

  /// Options as they are typed: `--name value`, `--name=value`, and `--name` alone for a flag.
  static func options(_ words: [String]) throws -> [(name: String, value: String)] {
    var options: [(name: String, value: String)] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--"), word.count > 2 else {
        throw ValidationError("expected --OPTION VALUE behind the recipe, found '\(word)'")
      }
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 {
        options.append((String(parts[0]), String(parts[1])))
      } else if let value = rest.first, !value.hasPrefix("--") {
        options.append((String(parts[0]), value))
        rest.removeFirst()
      } else {
        options.append((String(parts[0]), "true"))
      }
    }
    return options
  }
}

/// A recipe made ready to run: every stage as a command line that its parser has accepted.
struct RecipePlan {
  let recipe: Recipe
  let stages: [Stage]
  /// Where outputs go that do not depend on the seed.
  let folder: String

  struct Stage {
    let name: String
    let command: CommandOptions
    var arguments: [String]
    /// Its options as the recipe has them, data filled in but outputs of other stages not.
    let options: [(key: String, values: [String])]
    /// Whether another seed gives another result: it takes a seed or builds on a stage that does.
    let isSeeded: Bool

    /// As one would type it, without `tl`.
    var line: String {
      ([command.name] + arguments.map(shellWord)).joined(separator: " ")
    }
  }

  /// - Parameters:
  ///   - folder: where outputs of stages go that do not say it themselves.
  ///   - seedFolder: where those of seeded stages go.
  ///   - isTrial: whether the data and base may be unknown yet.
  init(
    _ recipe: Recipe, _ changes: RecipeChanges, folder: String, seedFolder: String? = nil,
    isTrial: Bool = false
  ) throws {
    var recipe = recipe
    try recipe.apply(changes)
    var variables = try RecipeVariables(recipe, changes, folder: folder, isTrial: isTrial)
    var stages: [Stage] = []
    for stage in recipe.stages {
      let ready = try Self.ready(stage, recipe, &variables, seedFolder ?? folder)
      stages.append(ready)
    }
    self.recipe = recipe
    self.folder = folder
    self.stages = stages
  }

  private static func ready(
    _ stage: Recipe.Stage, _ recipe: Recipe, _ variables: inout RecipeVariables,
    _ seedFolder: String
  ) throws -> Stage {
    let command = try recipe.command(of: stage)
    let (name, original) = (stage.name.value, stage)
    var stage = stage
    var isSeeded = command["seed"] != nil
    for index in stage.options.indices {
      stage.options[index].values = try stage.options[index].values.map {
        let (text, usesSeed) = try variables.filled($0)
        isSeeded = isSeeded || usesSeed
        return text
      }
    }
    let place = "\(isSeeded ? seedFolder : variables.folder)/\(name)"
    var output = stage.options.first { $0.key.value == "output" }?.values.first?.value
    if command["run"] != nil {
      stage.set("run", place)
      output = output ?? "\(place)/model.h5"
    } else if let known = command["output"], !known.isOptional, output == nil {
      output = "\(place).h5"
      stage.set("output", "\(place).h5")
    }
    if let output { variables.add(name, output, isSeeded: isSeeded) }
    let arguments = try recipe.arguments(of: stage, command)
    let options = try original.options.map { option in
      (option.key.value, try option.values.map { try variables.filledData($0).value })
    }
    return Stage(
      name: name, command: command, arguments: arguments, options: options, isSeeded: isSeeded)
  }
}

extension Recipe {
  func command(of stage: Stage) throws -> CommandOptions {
    if let command = CommandOptions.all.first(where: { $0.name == stage.command.value }) {
      return command
    }
    throw RecipeError(
      path, stage.command,
      RecipeError.unknown("command", stage.command.value, known: CommandOptions.all.map(\.name)))
  }

  /// The command line of a stage, accepted by the command's parser; throws with the line at fault.
  fileprivate func arguments(of stage: Stage, _ command: CommandOptions) throws -> [String] {
    var (first, rest): ([String], [String]) = ([], [])
    for option in stage.options {
      let key = option.key.value
      guard key != "seeds" else {
        throw RecipeError(
          path, option.key, "'seeds' is for the whole recipe: put it beside 'stages'")
      }
      guard let known = command[key] else {
        throw RecipeError(
          path, option.key,
          RecipeError.unknown("option", key, known: command.options.map(\.key))
            + " (`tl \(command.name) --help`)")
      }
      let values = option.values.map(\.value)
      guard let words = known.arguments(values) else {
        throw RecipeError(
          path, option.values.first ?? option.key,
          "'\(key)' must be \(known.expected), found '\(values.joined(separator: ", "))'")
      }
      var chosen = words
      if known.kind == .flag, values == ["false"], command["no-\(key)"] != nil {
        chosen = ["--no-\(key)"]
      }
      if known.kind == .positional { first += chosen } else { rest += chosen }
    }
    let arguments = first + rest
    do {
      _ = try command.type.parse(arguments)
    } catch {
      throw wrong(stage, command, command.type.message(for: error))
    }
    return arguments
  }

  private func wrong(
    _ stage: Stage, _ command: CommandOptions, _ message: String
  ) -> RecipeError {
    let lines = message.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let words = lines.joined(separator: " ")
    let key = command.key(in: words, among: stage.options.map(\.key.value))
    let option = stage.options.first { $0.key.value == key }
    let place = option?.values.first ?? option?.key ?? stage.name
    return RecipeError(
      path, place,
      "stage '\(stage.name.value)': " + words.prefix(1).lowercased() + words.dropFirst(),
      wayOut: "`tl \(command.name) --help`")
  }

  /// Puts in what the command line says.
  fileprivate mutating func apply(_ changes: RecipeChanges) throws {
    if let seed = changes.seed ?? seed?.value {
      for index in stages.indices where try command(of: stages[index])["seed"] != nil {
        let isOwn = stages[index].options.contains { $0.key.value == "seed" }
        if changes.seed != nil || !isOwn { stages[index].set("seed", "\(seed)") }
      }
    }
    for (name, value) in changes.options { try set(name, value) }
  }

  private mutating func set(_ name: String, _ value: String) throws {
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    guard var key = parts.last else { throw ValidationError("'--\(name)' names no option") }
    var value = value
    let stage = parts.count == 2 ? parts[0] : nil
    if let stage, !stages.contains(where: { $0.name.value == stage }) {
      throw ValidationError(
        "--\(name): "
          + RecipeError.unknown("stage", stage, known: stages.map(\.name.value)))
    }
    var (known, count): (Set<String>, Int) = ([], 0)
    for index in stages.indices where stage == nil || stages[index].name.value == stage {
      let command = try command(of: stages[index])
      known.formUnion(command.options.map(\.key))
      if command[key] == nil, key.hasPrefix("no-"), command[String(key.dropFirst(3))] != nil {
        (key, value) = (String(key.dropFirst(3)), "false")
      }
      guard command[key] != nil else { continue }
      stages[index].set(key, value)
      count += 1
    }
    guard count > 0 else {
      // What was meant may also be an option of `tl run` itself.
      known.formUnion(["base", "check", "data", "dry-run", "json", "quiet", "run", "seed", "seeds"])
      throw ValidationError(
        "--\(name): " + RecipeError.unknown("option", key, known: Array(known)))
    }
  }
}

extension Recipe.Stage {
  /// Gives an option another value, or adds it.
  mutating func set(_ key: String, _ value: String) {
    if let index = options.firstIndex(where: { $0.key.value == key }) {
      let place = options[index].values.first ?? options[index].key
      options[index].values = [place.with(value)]
      options[index].isList = false
    } else {
      options.append(.init(key: name.with(key), values: [name.with(value)]))
    }
  }
}

/// A word as a shell takes it.
func shellWord(_ word: String) -> String {
  let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./,:=+@%".contains($0) }
  return plain && !word.isEmpty
    ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
}
