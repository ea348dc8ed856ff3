import ArgumentParser
import Foundation
import Training

extension CompletionKind {
  /// Files that hold whole models.
  static var modelFile: CompletionKind {
    .file(extensions: ["h5", "hdf5", "keras", "safetensors"])
  }

  /// Names of bases, and files.
  static var baseFile: CompletionKind {
    .custom { _, _, prefix in
      NamedBase.all.map(\.name).filter { $0.hasPrefix(prefix) } + paths(startingWith: prefix)
    }
  }

  /// Files and folders, as a shell would offer them; bash marks folders itself.
  static func paths(startingWith prefix: String) -> [String] {
    let end = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
    let (folder, start) = (String(prefix[..<end]), prefix[end...])
    let names =
      (try? FileManager.default.contentsOfDirectory(
        atPath: folder.isEmpty ? "." : folder)) ?? []
    return names.filter { $0.hasPrefix(start) && ($0.first != "." || start.hasPrefix(".")) }
      .map { name in
        var isFolder: ObjCBool = false
        let path = folder + name
        _ = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return isFolder.boolValue && CompletionShell.requesting != .bash ? path + "/" : path
      }.sorted()
  }
}

/// The file that `--base` stands for; says which one it is.
///
/// Without `--base` it is our own small base. Where the file of a published base is missing and a
/// person sits at the terminal, they are asked whether to pull it; nothing is pulled unasked.
func baseFile(_ specifier: String?, _ console: Console) throws -> String {
  let name = specifier ?? "mini"
  if specifier == nil { console.note("no --base given: taking 'mini', which comes with tl") }
  let store = WeightStore.standard
  var path: String
  do {
    path = try store.file(for: name)
  } catch TrainingError.noSuchBase(let base, _) where base.published != nil && canAsk(console) {
    guard asks("'\(name)' is not here. Pull \(base.bytes.map(sizeText) ?? "it") now?", console)
    else { throw TrainingError.noSuchBase(base, store) }
    path = try pulled(base, mirror: nil, store, console)
  }
  if path != name { console.note("'\(name)' is \(homeless(path))") }
  return path
}

/// Pulls a base into the cache, with progress; `TL_WEIGHTS_MIRROR` stands in for `mirror`.
func pulled(
  _ base: NamedBase, mirror: String?, _ store: WeightStore, _ console: Console
) throws -> String {
  let variable = ProcessInfo.processInfo.environment["TL_WEIGHTS_MIRROR"] ?? ""
  let mirror = mirror ?? (variable.isEmpty ? nil : variable)
  let display = PullProgress(base, console)
  let place = mirror ?? base.published?.url ?? ""
  console.note("pulling \(base.name) from \(place); licence: \(base.card.licence)")
  let path = try store.pull(base, mirror: mirror) { event in
    try Interrupt.check()
    display.show(event)
  }
  guard base.md5 != nil else {
    console.note("its layers are those of \(base.architecture); nobody publishes an md5 of it")
    return path
  }
  let checked = base.bytes == nil ? "md5 is" : "size and md5 are"
  console.note("\(checked) as published")
  return path
}

/// A download as a progress report in sizeText.
private final class PullProgress {
  private let base: NamedBase
  private let console: Console
  private var from = 0
  private var bar: Progress?

  init(_ base: NamedBase, _ console: Console) { (self.base, self.console) = (base, console) }

  func show(_ event: WeightStore.PullEvent) {
    switch event {
    case .startingAnew(let why): restart("not what is published (\(why))")
    case .download(.resuming(let bytes)):
      from = bytes
      console.note("going on after \(sizeText(bytes)) of an earlier run")
    case .download(.startingOver(let why)): restart(why)
    case .download(.retrying(let reason)): console.warning("trying again: \(reason)")
    case .download(.progress(let done, let total)):
      guard let total, total >= done else { return }
      let bar =
        self.bar
        ?? Progress(
          title: base.name, total: whole(total), unit: "MB", from: min(from, total) / 1_000_000,
          console: console)
      bar.advance(to: done / 1_000_000)
      self.bar = bar
      guard done == total else { return }
      bar.advance(to: whole(total))
      bar.finish()
    }
  }

  private func restart(_ why: String) {
    console.note("starting over: \(why)")
    (from, bar) = (0, nil)
  }

  private func whole(_ bytes: Int) -> Int { (bytes + 999_999) / 1_000_000 }
}

/// Whether a person can answer a question.
private func canAsk(_ console: Console) -> Bool {
  !console.isQuiet && console.errors.terminal.isTerminal && isatty(STDIN_FILENO) == 1
}

private func asks(_ question: String, _ console: Console) -> Bool {
  console.errors.line("\(question) [y/N]")
  return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
}

/// Such as `58.9 MB` or `49 kB`.
func sizeText(_ bytes: Int) -> String {
  bytes < 1_000_000 ? "\((bytes + 999) / 1000) kB" : "\(decimal(Double(bytes) / 1e6, 1)) MB"
}

/// A path with `~` for the home folder.
func homeless(_ path: String) -> String {
  let home = NSHomeDirectory()
  return home != "/" && path.hasPrefix(home + "/") ? "~" + path.dropFirst(home.count) : path
}
