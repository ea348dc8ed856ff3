import ArgumentParser
import Foundation

/// What `${name}` stands for in a recipe: its data, its base, its folder, and outputs of stages.
struct RecipeVariables {
  /// Where outputs go.
  let folder: String
  private let recipe: Recipe
  private var values: [String: (text: String, isSeeded: Bool)] = [:]
  private let laterStages: Set<String>

  init(
    _ recipe: Recipe, _ changes: RecipeChanges, folder: String, isTrial: Bool
  ) throws {
    (self.folder, self.recipe) = (folder, recipe)
    laterStages = Set(recipe.stages.map(\.name.value))
    values["run"] = (folder, false)
    let data = changes.data ?? recipe.folder?.value ?? (isTrial ? "DATA" : nil)
    if let data {
      values["data"] = (data, false)
      for name in recipe.data { values[name.name.value] = ("\(data)/\(name.text.value)", false) }
    }
    if let base = changes.base ?? recipe.base?.value ?? (isTrial ? "BASE" : nil) {
      values["base"] = (base, false)
    }
    guard let data, !isTrial else { return }
    for name in recipe.data {
      try Self.requireFolder("\(data)/\(name.text.value)", name, recipe)
    }
  }

  private static func requireFolder(
    _ path: String, _ name: Recipe.NamedText, _ recipe: Recipe
  ) throws {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      throw RecipeError(
        recipe.path, name.text,
        "no folder '\(path)' for '\(name.name.value)'",
        wayOut: "--data with the folder that holds "
          + recipe.data.map { "'\($0.text.value)'" }.joined(separator: ", "))
    }
  }

  /// Lets later stages use what a stage writes.
  mutating func add(_ stage: String, _ output: String, isSeeded: Bool) {
    values[stage] = (output, isSeeded)
  }

  /// The text with every `${name}` filled in, and whether one of them depends on the seed.
  func filled(_ text: Located<String>) throws -> (Located<String>, usesSeed: Bool) {
    var (result, rest, usesSeed) = ("", text.value[...], false)
    while let start = rest.range(of: "${") {
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
        throw RecipeError(recipe.path, text, "'${' without '}' in '\(text.value)'")
      }
      let name = String(rest[start.upperBound..<end])
      guard let value = values[name] else { throw unknown(name, text) }
      result += rest[..<start.lowerBound] + value.text
      usesSeed = usesSeed || value.isSeeded
      rest = rest[rest.index(after: end)...]
    }
    return (text.with(result + rest), usesSeed)
  }

  /// The text with the data and base filled in, outputs of stages left as they are written.
  func filledData(_ text: Located<String>) throws -> Located<String> {
    var others = self
    for stage in recipe.stages.map(\.name.value) where others.values[stage] != nil {
      others.values[stage] = ("${\(stage)}", false)
    }
    return try others.filled(text).0
  }

  private func unknown(_ name: String, _ place: Located<String>) -> RecipeError {
    let isData = name == "data" || recipe.data.contains { $0.name.value == name }
    if isData {
      return RecipeError(
        recipe.path, place, "the recipe does not say which data", wayOut: "--data FOLDER")
    }
    if name == "base" {
      return RecipeError(
        recipe.path, place, "the recipe does not say which base", wayOut: "--base FILE")
    }
    if laterStages.contains(name) {
      return RecipeError(
        recipe.path, place,
        "'${\(name)}' is used before stage '\(name)' wrote it: put that stage first")
    }
    return RecipeError(
      recipe.path, place,
      RecipeError.unknown(
        "name in ${...}", name, known: Array(values.keys) + recipe.data.map(\.name.value)))
  }
}
