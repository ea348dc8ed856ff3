import ArgumentParser
import Foundation
import Training
import Weights

struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "List, pull and verify the weights of bases that have names.",
    discussion: """
      Pulled files go to ~/.cache/tl/weights (XDG_CACHE_HOME moves it). `--base NAME` looks there, \
      then in the folder weights here, then in that of tl's project.
      """,
    subcommands: [ListWeights.self, PullWeights.self, VerifyWeights.self],
    defaultSubcommand: ListWeights.self)
}

struct ListWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List bases: which are here, and which can be pulled.")

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @OptionGroup var options: ConsoleOptions

  /// A base, or a file without a name.
  private struct Row: Encodable {
    let name: String?
    let bytes: Int?
    let path: String?
    let partialBytes: Int?
    let licence: String?
    let origin: String?
    let md5: String?
    let url: String?
  }

  func run() throws {
    let console = options.console
    let store = WeightStore.standard
    let rows = NamedBase.all.map { row($0, store) } + store.otherFiles().map(row)
    guard !json else { return try console.write(JSONText.encode(rows, isPretty: true) + "\n") }
    var table = TextTable([
      .text("name"), .number("size"), .text("where"), .text("licence"), .text("md5"),
    ])
    for row in rows {
      let place =
        row.path.map(homeless)
        ?? row.partialBytes.map { "begun: \(sizeText($0)) are in the cache" } ?? "to be pulled"
      table.add([
        row.name ?? "-", row.bytes.map(sizeText) ?? "?", place, row.licence ?? "?", row.md5 ?? "?",
      ])
    }
    try console.result(table)
    console.note("`tl weights pull NAME` brings files to \(homeless(store.cache))")
  }

  private func row(_ base: NamedBase, _ store: WeightStore) -> Row {
    let path = store.find(base)
    return Row(
      name: base.name, bytes: path.flatMap(WeightStore.size) ?? base.bytes, path: path,
      partialBytes: path == nil ? store.partialBytes(base) : nil, licence: base.card.licence,
      origin: base.card.origin, md5: base.md5, url: base.published?.url)
  }

  private func row(_ path: String) -> Row {
    Row(
      name: nil, bytes: WeightStore.size(path), path: path, partialBytes: nil, licence: nil,
      origin: nil, md5: nil, url: nil)
  }
}

struct PullWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Download published weights and check them.",
    discussion: """
      An interrupted download goes on where it broke off. A file is only kept when its size and \
      md5 are those that Keras publishes; where it publishes none, when its layers are the \
      network's. Proxies are taken from the usual variables \
      (https_proxy, http_proxy, all_proxy, no_proxy).
      """)

  @Argument(
    help: "Names such as vgg16, vgg16-top (with classifier) or resnet50.",
    completion: .list(NamedBase.all.filter { $0.published != nil }.map(\.name)))
  var names: [String]

  @Option(help: "Take files from below this address; also TL_WEIGHTS_MIRROR.")
  var mirror: String?

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let bases = try names.map(published)
    var brought: [Brought] = []
    for base in bases {
      let store = WeightStore.standard
      if let path = store.files(of: base).first(where: { $0.hasPrefix(store.cache + "/") }) {
        if let wrong = try store.mismatch(path, base) {
          throw PullError.wrongFile(path, expected: wrong.expected, found: wrong.found)
        }
        brought.append(Brought(name: base.name, path: path, wasThere: true))
      } else {
        let path = try pulled(base, mirror: mirror, store, options.console)
        brought.append(Brought(name: base.name, path: path, wasThere: false))
      }
      if !format.json, let file = brought.last { try options.console.result(file.sentence) }
    }
    try format.print(brought, on: options.console) {}
  }

  /// A file that is there now.
  private struct Brought: Encodable {
    let name, path: String
    let wasThere: Bool

    var sentence: String { wasThere ? "\(name) is there and whole: \(path)" : "wrote \(path)" }

    enum CodingKeys: String, CodingKey {
      case name, path
      case wasThere = "was_there"
    }
  }

  private func published(_ name: String) throws -> NamedBase {
    guard let base = NamedBase.named(name) else {
      throw PullError.unknown(name, known: NamedBase.all.filter { $0.published != nil }.map(\.name))
    }
    guard base.published != nil else { throw PullError.notPublished(name) }
    return base
  }
}

struct VerifyWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Compare weights that are here with what is published.",
    discussion: "The exit status is 2 if a file differs from what its name promises.")

  @Argument(
    help: "Names of bases; without any, all files.",
    completion: .list(NamedBase.all.map(\.name)))
  var names: [String] = []

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let console = options.console
    let store = WeightStore.standard
    let bases = try names.isEmpty ? NamedBase.all : names.map(known)
    var verified: [Verified] = []
    for base in bases {
      let files = store.files(of: base)
      if files.isEmpty, !names.isEmpty { throw TrainingError.noSuchBase(base, store) }
      for path in files {
        try Interrupt.check()
        let (isWrong, result) = try verdict(path, base, store)
        verified.append(Verified(path, result, isWrong: isWrong))
      }
    }
    let others = names.isEmpty ? store.otherFiles() : []
    let total = verified.count
    for path in others {
      verified.append(Verified(path, "not published by Keras: md5 \(try FileDigest.md5(path))"))
    }
    try format.print(verified, on: console) {
      guard !verified.isEmpty else {
        let folders = store.folders.map { "'\($0)'" }.joined(separator: ", ")
        return try console.result("no weights are here: looked in \(folders)")
      }
      var table = TextTable([.text("file"), .number("size"), .text("result")])
      for file in verified {
        table.add([homeless(file.path), file.size.map(sizeText) ?? "?", file.result])
      }
      try console.result(table)
    }
    let wrong = verified.count { $0.isWrong }
    if wrong > 0 { throw SomeFailed(wrong, of: total, unit: "files") }
  }

  /// A file and what was found of it.
  private struct Verified: Encodable {
    let path: String
    /// In bytes.
    let size: Int?
    let result: String
    let isWrong: Bool

    init(_ path: String, _ result: String, isWrong: Bool = false) {
      (self.path, self.result, self.isWrong) = (path, result, isWrong)
      size = WeightStore.size(path)
    }

    enum CodingKeys: String, CodingKey {
      case path, size, result
      case isWrong = "is_wrong"
    }
  }

  private func known(_ name: String) throws -> NamedBase {
    guard let base = NamedBase.named(name) else {
      throw PullError.unknown(name, known: NamedBase.all.map(\.name))
    }
    return base
  }

  /// A file under its published name must have the published bytes; others may be the user's own.
  private func verdict(
    _ path: String, _ base: NamedBase, _ store: WeightStore
  ) throws -> (isWrong: Bool, words: String) {
    let name = URL(filePath: path).lastPathComponent
    // A short name such as vgg16.h5 may hold another of the published files of the base.
    let alike = NamedBase.all.filter {
      $0.card.origin == base.card.origin && $0.fileNames.last == name
    }
    let meant = alike.first ?? base
    guard let wrong = try store.mismatch(path, meant) else {
      let isKnown = meant.md5 != nil
      return (
        false,
        isKnown
          ? "good: md5 is that of \(meant.name)"
          : "its layers are those of \(meant.name); no md5 is published"
      )
    }
    guard alike.isEmpty else {
      return (true, "WRONG: expected \(wrong.expected), found \(wrong.found)")
    }
    return (false, "a file of yours: md5 \(try FileDigest.md5(path)) is not published")
  }
}
