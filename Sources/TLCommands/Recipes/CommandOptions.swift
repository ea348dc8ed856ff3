import ArgumentParser
import Foundation

/// What a command takes, as its own parser tells; so every option can stand in a recipe.
struct CommandOptions {
  /// How the command is called, such as `weights pull`.
  let name: String
  let type: any ParsableCommand.Type
  let options: [Option]

  /// An option, flag or argument.
  struct Option: Decodable {
    enum Kind: String, Decodable { case positional, option, flag }
    struct Name: Decodable {
      let kind: String
      let name: String
    }

    let kind: Kind
    let names: [Name]?
    let valueName: String?
    let defaultValue: String?
    let isRepeating: Bool
    let isOptional: Bool
    let shouldDisplay: Bool
    let completionKind: Completion?

    /// What a shell offers for the value.
    enum Completion: Decodable {
      /// A file or a folder.
      case path
      /// Found by the program: names, and files among them.
      case custom
      case other

      private enum Keys: String, CodingKey { case file, directory, custom }

      init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: Keys.self).allKeys
        self = keys.isEmpty ? .other : keys.contains(.custom) ? .custom : .path
      }
    }

    /// What it is called in a recipe: the flag without `--`, or the argument's name in the help.
    var key: String {
      kind == .positional
        ? valueName ?? "" : names?.first { $0.kind == "long" }?.name ?? valueName ?? ""
    }
  }

  private struct Tool: Decodable {
    struct Command: Decodable { let arguments: [Option]? }
    let command: Command
  }

  init(_ name: String, _ type: any ParsableCommand.Type) {
    self.name = name
    self.type = type
    let tool = try? JSONDecoder().decode(Tool.self, from: Data(type._dumpHelp().utf8))
    options = (tool?.command.arguments ?? []).filter {
      $0.shouldDisplay && !["help", "version"].contains($0.key)
    }
  }

  /// All commands that a recipe can name.
  static let all: [CommandOptions] = found(below: TL.self, []).filter {
    !["run", "resume"].contains($0.name)
  }

  private static func found(
    below command: any ParsableCommand.Type, _ words: [String]
  ) -> [CommandOptions] {
    let children = command.configuration.subcommands
    guard !children.isEmpty else {
      return [CommandOptions(words.joined(separator: " "), command)]
    }
    return children.flatMap { found(below: $0, words + [$0._commandName]) }
  }

  subscript(key: String) -> Option? { options.first { $0.key == key } }

  /// The option that a message of the parser is about, by its name in it.
  func key(in message: String, among keys: [String]) -> String? {
    keys.filter { key in
      guard let option = self[key] else { return false }
      let name = option.kind == .positional ? "<\(key)>" : "--\(key)"
      return message.ranges(of: name).contains { range in
        let next = message[range.upperBound...].first
        return !(next.map { $0.isLetter || $0 == "-" } ?? false)
      }
    }.max { $0.count < $1.count }
  }
}

extension CommandOptions.Option {
  /// The words on a command line for these values, nil where they are of the wrong kind.
  func arguments(_ values: [String]) -> [String]? {
    switch kind {
    case .positional: return isRepeating || values.count == 1 ? values : nil
    case .option:
      let values = isRepeating ? values : [values.joined(separator: ",")]
      return values.flatMap { $0.hasPrefix("-") ? ["--\(key)=\($0)"] : ["--\(key)", $0] }
    case .flag:
      guard values.count == 1 else { return nil }
      switch values[0] {
      case "true": return ["--\(key)"]
      case "false": return []
      default: return nil
      }
    }
  }

  /// What values of this kind look like.
  var expected: String {
    switch kind {
    case .positional: "one value"
    case .option: "a value"
    case .flag: "true or false"
    }
  }
}
