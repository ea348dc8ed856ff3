package import Architectures
import Foundation

/// A base that `--base` knows by name, and the files that it can lie in.
package struct NamedBase: Sendable {
  /// Such as `vgg16`, `vgg16-top` or `mini`.
  package let name: String
  package let card: WeightCard
  /// The file that Keras publishes; nil for a base that comes with the project.
  package let published: WeightCard.PublishedFile?
  /// What its file may be called, the most exact name last.
  package let fileNames: [String]

  package init(
    name: String, card: WeightCard, published: WeightCard.PublishedFile?, fileNames: [String]
  ) {
    (self.name, self.card, self.published, self.fileNames) = (name, card, published, fileNames)
  }

  /// The network that its file holds.
  package var architecture: String {
    published?.includesTop == true && name.hasSuffix("-top") ? String(name.dropLast(4)) : name
  }
  /// The MD5 that its file has; nil where nobody says so.
  package var md5: String? { published?.md5 ?? card.shipped?.md5 }
  /// The bytes that its file has; nil where nobody says so.
  package var bytes: Int? { published == nil ? card.shipped?.bytes : published?.bytes }

  /// All bases that have names: our own first, then the published ones.
  package static let all: [NamedBase] =
    Architectures.all.compactMap(shipped) + Architectures.all.flatMap(published)

  package static func named(_ name: String) -> NamedBase? {
    // Our own are also known by their file's name, as `tl-mini`.
    all.first { $0.name == name || $0.published == nil && $0.fileNames.contains(name + ".h5") }
  }

  private static func shipped(_ architecture: any Architecture) -> NamedBase? {
    architecture.card.shipped.map {
      NamedBase(name: $0.name, card: architecture.card, published: nil, fileNames: [$0.fileName])
    }
  }

  /// Newer files come before older ones, those without top before those with it.
  private static func published(_ architecture: any Architecture) -> [NamedBase] {
    architecture.card.files.reversed().map { file in
      var names = [file.fileName]
      if file.name == architecture.name {
        // Whoever gives such a short name to a file means this base; with top it has all of it.
        let others = architecture.card.files.filter { $0.includesTop && !$0.isRenamed }
        names = ["\(file.name)_notop.h5", "\(file.name).h5"] + others.map(\.fileName) + names
      }
      return NamedBase(
        name: file.name, card: architecture.card, published: file, fileNames: names)
    }
  }
}

extension WeightCard.PublishedFile {
  /// Whether the file is called otherwise on the disk than at its address.
  package var isRenamed: Bool { !url.hasSuffix("/" + fileName) }
}

/// The folders in which weights files of named bases are looked for.
package struct WeightStore: Sendable {
  /// Where files that are pulled go: `~/.cache/tl/weights`.
  package let cache: String
  /// All folders, in the order in which they are searched.
  package let folders: [String]

  package init(cache: String, others: [String]) {
    self.cache = cache
    folders = [cache] + others
  }

  /// The cache (`XDG_CACHE_HOME` moves it), `weights` here, and `weights` of the project that the
  /// program lies in.
  package static var standard: WeightStore {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    var others = ["weights"]
    if let own = shippedFolder(), real(own) != real("weights") { others.append(own) }
    return WeightStore(
      cache: (home ?? NSHomeDirectory() + "/.cache") + "/tl/weights", others: others)
  }

  /// The nearest folder `weights` beside the program or above it.
  private static func shippedFolder() -> String? {
    var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    while folder.path != "/" {
      folder = folder.deletingLastPathComponent()
      let candidate = folder.appending(path: "weights").path
      if isFolder(candidate) { return candidate }
    }
    return nil
  }

  private static func isFolder(_ path: String) -> Bool {
    (try? URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
  }

  private static func real(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().path
  }

  /// The first file of a base, nil where there is none.
  package func find(_ base: NamedBase) -> String? {
    folders.lazy.flatMap { folder in base.fileNames.lazy.map { folder + "/" + $0 } }
      .first { FileManager.default.fileExists(atPath: $0) }
  }

  /// The file that a path or a name stands for.
  ///
  /// Throws `TrainingError.noSuchBase` or `.unknownBase`.
  package func file(for specifier: String) throws -> String {
    if let base = NamedBase.named(specifier) {
      guard let path = find(base) else { throw TrainingError.noSuchBase(base, self) }
      return path
    }
    // What looks like a path is one; opening it then says what is wrong.
    let isPath = specifier.contains { "/.".contains($0) }
    guard isPath || FileManager.default.fileExists(atPath: specifier) else {
      throw TrainingError.unknownBase(specifier, known: NamedBase.all.map(\.name))
    }
    return specifier
  }

  /// Files with weights in the folders that no named base looks for, as paths.
  package func otherFiles() -> [String] {
    let known = Set(NamedBase.all.flatMap(\.fileNames))
    return folders.flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .filter { name in
          [".h5", ".hdf5", ".keras", ".safetensors"].contains { name.hasSuffix($0) }
            && !known.contains(name)
        }
        .map { folder + "/" + $0 }
    }
  }

  /// All files of a base in all folders.
  package func files(of base: NamedBase) -> [String] {
    folders.flatMap { folder in base.fileNames.map { folder + "/" + $0 } }
      .filter { FileManager.default.fileExists(atPath: $0) }
  }
}
