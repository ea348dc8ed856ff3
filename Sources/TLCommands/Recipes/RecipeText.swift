import Foundation
import Yams

/// A recipe to be written.
struct RecipeText {
  struct Stage {
    let name: String
    let command: String
    let options: [(key: String, values: [String])]
  }

  let name: String
  let description: String?
  /// The first seed and how many there are.
  var seeds: (first: UInt64, count: Int)?
  let stages: [Stage]
  var expectations: [Expectation] = []

  /// The recipe as YAML.
  ///
  /// - Parameter header: becomes a comment.
  func yaml(_ header: String) throws -> String {
    var fields: [(Node, Node)] = [("name", Node(name))]
    if let description { fields.append(("description", Node(description))) }
    if let seeds {
      fields += [("seed", Node("\(seeds.first)")), ("seeds", Node("\(seeds.count)"))]
    }
    fields.append(("stages", Node(stages.map(\.node))))
    if !expectations.isEmpty {
      fields.append(
        ("expect", Node(expectations.map { (Node($0.key.value), Node($0.text)) })))
    }
    return "# \(header)\n" + (try serialize(node: Node(fields), allowUnicode: true))
  }
}

extension RecipeText.Stage {
  fileprivate var node: Node {
    var fields: [(Node, Node)] = [("name", Node(name)), ("command", Node(command))]
    for (key, values) in options {
      let list = values.map { Node($0) }
      fields.append((Node(key), list.count == 1 ? list[0] : Node(list)))
    }
    return Node(fields)
  }
}

extension RecipePlan {
  /// The recipe as it runs, so that it can be repeated; what stages write keeps its `${name}`.
  ///
  /// - Parameter seeds: the first seed and how many there are, nil for one run.
  func text(seeds: (first: UInt64, count: Int)?) throws -> String {
    let text = RecipeText(
      name: recipe.name.value, description: recipe.description, seeds: seeds,
      stages: stages.map { stage in
        .init(
          name: stage.name, command: stage.command.name,
          options: stage.command.resolved(stage.options))
      }, expectations: recipe.expectations)
    return try text.yaml("The recipe as it was resolved; `tl run` repeats it from this file.")
  }
}
