import Architectures
package import Downloads
import Foundation
import Weights

/// Why a published file could not be brought here; `description` is one line.
package enum PullError: Error, CustomStringConvertible {
  case unknown(String, known: [String])
  case notPublished(String)
  case failed(NamedBase, DownloadError, url: String, folder: String)
  case wrongBytes(NamedBase, url: String, folder: String, expected: String, found: String)
  case wrongFile(String, expected: String, found: String)

  package var description: String {
    switch self {
    case .unknown(let name, let known):
      "no weights are known as '\(name)': expected one of \(known.joined(separator: ", "))"
    case .notPublished(let name):
      "'\(name)' comes with tl, in the folder 'weights' of its project: it is not pulled"
    case .failed(let base, let error, _, _): "cannot pull '\(base.name)': \(error)"
    case .wrongBytes(let base, let url, _, let expected, let found):
      "cannot pull '\(base.name)': \(url) is not the published file: expected \(expected), found "
        + "\(found); nothing was kept"
    case .wrongFile(let path, let expected, let found):
      "'\(path)' is not the published file: expected \(expected), found \(found)"
    }
  }

  /// What the user can do about it.
  package var wayOut: String? {
    switch self {
    case .unknown, .notPublished: nil
    case .failed(let base, .broken, _, _):
      "run `tl weights pull \(base.name)` again: it goes on where it broke off"
    case .failed(_, .busy, _, _): "wait until the other run has ended"
    case .failed(_, .cannotWrite, _, _):
      "make room or set XDG_CACHE_HOME to another disk, and run it again: it goes on"
    case .failed(let base, .noLibrary, _, let folder):
      "install libcurl4, or \(Self.byHand(base, folder))"
    case .failed(let base, _, _, let folder), .wrongBytes(let base, _, let folder, _, _):
      "another place with --mirror URL, or \(Self.byHand(base, folder))"
    case .wrongFile: "remove it, then `tl weights pull` brings it anew"
    }
  }

  /// How to get the file without tl.
  static func byHand(_ base: NamedBase, _ folder: String) -> String {
    guard let file = base.published else { return "" }
    let name = file.isRenamed ? " as '\(file.fileName)'" : ""
    return "download \(file.url) by hand and put it into '\(folder)'\(name)"
  }
}

extension WeightStore {
  package enum PullEvent: Sendable {
    case download(Download.Event)
    /// What had been resumed turned out to be wrong.
    case startingAnew(why: String)
  }

  /// Brings a published file into the cache: written beside, checked, then renamed.
  ///
  /// - Parameters:
  ///   - mirror: an address below which the file lies under its own name, instead of Keras's.
  ///   - report: what it throws ends the download; the bytes so far are kept.
  /// - Returns: the file's path.
  package func pull(
    _ base: NamedBase, mirror: String?, _ report: @escaping (PullEvent) throws -> Void
  ) throws -> String {
    guard let file = base.published else { throw PullError.notPublished(base.name) }
    let target = cache + "/" + file.fileName
    let url = mirror.map { $0.trimmingSuffix("/") + "/" + file.fileName } ?? file.url
    do {
      try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    } catch {
      throw PullError.failed(
        base, .cannotWrite(path: cache, reason: "the folder cannot be made"), url: url,
        folder: cache)
    }
    let download = Download(url: url, partial: target + ".partial", size: file.bytes)
    let isResumed = partialBytes(base) ?? 0 > 0
    func run() throws {
      do {
        try download.run { try report(.download($0)) }
      } catch let error as DownloadError {
        throw PullError.failed(base, error, url: url, folder: cache)
      }
    }
    try run()
    if isResumed, let wrong = try mismatch(download.partial, base) {
      // The bytes of the earlier run may be of another file.
      try report(.startingAnew(why: wrong.found))
      try FileManager.default.removeItem(atPath: download.partial)
      try run()
    }
    if let wrong = try mismatch(download.partial, base) {
      try? FileManager.default.removeItem(atPath: download.partial)
      throw PullError.wrongBytes(
        base, url: url, folder: cache, expected: wrong.expected, found: wrong.found)
    }
    try AtomicFile.rename(download.partial, to: target)
    return target
  }

  /// How many bytes of a base an unfinished download has left; nil without one.
  package func partialBytes(_ base: NamedBase) -> Int? {
    guard let file = base.published else { return nil }
    return Self.size(cache + "/" + file.fileName + ".partial")
  }

  /// The size of a file in bytes; nil where there is none.
  package static func size(_ path: String) -> Int? {
    let values = try? FileManager.default.attributesOfItem(atPath: path)
    return (values?[.size] as? NSNumber)?.intValue
  }

  /// In what a file differs from the one that a base is known to have; nil where it does not.
  package func mismatch(
    _ path: String, _ base: NamedBase
  ) throws -> (expected: String, found: String)? {
    if let bytes = base.bytes, let found = Self.size(path), found != bytes {
      return ("\(bytes) bytes", "\(found)")
    }
    guard let md5 = base.md5 else { return Self.otherLayers(path, base) }
    let found = try FileDigest.md5(path)
    return found == md5 ? nil : ("md5 \(md5)", found)
  }

  /// Where nobody publishes a digest, the layers must at least be those of the network.
  private static func otherLayers(
    _ path: String, _ base: NamedBase
  ) -> (expected: String, found: String)? {
    let expected = "the layers of \(base.architecture)"
    guard let file = try? KerasFile(path) else { return (expected, "no Keras file") }
    defer { file.close() }
    let found = Architectures.identify(
      file.signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) })
    return found?.name == base.architecture ? nil : (expected, found?.name ?? file.contents)
  }
}

extension String {
  /// Without that many of the given characters at the end.
  fileprivate func trimmingSuffix(_ suffix: Character) -> String {
    var text = Substring(self)
    while text.last == suffix { text = text.dropLast() }
    return String(text)
  }
}
