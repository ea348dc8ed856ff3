internal import Foundation
internal import HDF5
internal import Synchronization

/// Keeps libhdf5's crashes on damaged files away from the program.
///
/// libhdf5 1.10 believes many lengths that it finds: about one in fifty files with damaged bytes makes
/// it read where there is no memory, some make it search for ever. So a file that was not seen before
/// is first read by another process, the same program with `command` as its first argument, which
/// may take little memory and time. What it survives is remembered by what the system knows of the
/// file (place, size, times) in `~/.cache/tl/checked`, so that a good file costs this once.
package enum FileCheck {
  /// The first argument of the process that reads; the second is the path.
  package static let command = "__read-through"

  private static let program = Mutex<String?>(nil)

  /// Turns the check on for this process, whose program must understand `command`.
  package static func enable(program path: String = "/proc/self/exe") {
    program.withLock { $0 = path }
  }

  /// Throws `WeightsError.damaged` where reading the file ended another process.
  ///
  /// - Parameter origin: the file that `path` was unpacked from, by which it is remembered.
  package static func check(
    _ path: String, origin: String? = nil, called name: String? = nil
  ) throws {
    guard let program = program.withLock({ $0 }), let identity = identity(origin ?? path) else {
      return
    }
    var seen = SeenFiles()
    guard !seen.contains(identity) else { return }
    switch outcome(path, program) {
    case .survived: seen.add(identity)
    case .unknown: break
    case .ended(let reason): throw WeightsError.damaged(path: name ?? path, reason: reason)
    }
  }

  /// Takes a file that this process wrote for one that was read without harm.
  package static func trust(_ path: String) {
    guard program.withLock({ $0 }) != nil, let identity = identity(path) else { return }
    var seen = SeenFiles()
    seen.add(identity)
  }

  /// How the reading process ended.
  private enum Outcome {
    case survived
    /// It could not be started, or somebody else ended it: the file is read as it is.
    case unknown
    case ended(String)
  }

  private static func outcome(_ path: String, _ program: String) -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: program).resolvingSymlinksInPath()
    process.arguments = [command, path]
    process.environment = ProcessInfo.processInfo.environment.merging(strictness) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return .unknown }
    process.waitUntilExit()
    guard process.terminationReason == .uncaughtSignal else { return .survived }
    switch process.terminationStatus {
    case SIGINT, SIGTERM, SIGHUP: return .unknown
    case SIGXCPU, SIGKILL: return .ended("its structure leads libhdf5 in circles")
    default: return .ended("its structure makes libhdf5 crash")
    }
  }

  /// Gives pieces of memory pages of their own, so that reading behind the end of one always crashes:
  /// in this process it would only where nothing happens to lie there.
  private static let strictness = [
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=256:glibc.malloc.mmap_max=1000000",
    "SWIFT_BACKTRACE": "enable=no",
  ]

  /// The file's place, size and times, which change with every change of its bytes.
  private static func identity(_ path: String) -> String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return [
      Int(status.st_dev), Int(status.st_ino), status.st_size, status.st_mtim.tv_sec,
      status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
    ].map(String.init).joined(separator: " ")
  }
}

extension FileCheck {
  /// What the other process does: it limits itself and reads the file.
  package static func readThrough(_ path: String) {
    let size = (try? FileDigest.size(path)) ?? 0
    limit(Int32(RLIMIT_AS.rawValue), 1_500_000_000 + 2 * size)
    // Seconds of work, not of waiting for a slow disk; compressed numbers take their time.
    limit(Int32(RLIMIT_CPU.rawValue), 1 + size / 50_000_000)
    limit(Int32(RLIMIT_CORE.rawValue), 0)
    HDF5File.readThrough(path)
  }

  private static func limit(_ resource: Int32, _ most: Int) {
    var limit = rlimit(rlim_cur: rlim_t(most), rlim_max: rlim_t(most))
    _ = unsafe setrlimit(__rlimit_resource_t(UInt32(resource)), &limit)
  }
}

/// The files that were read without harm.
private struct SeenFiles {
  private let path: String
  private var lines: [String]
  private static let most = 500

  init() {
    let environment = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? ""
    let cache = environment.isEmpty ? NSHomeDirectory() + "/.cache" : environment
    path = cache + "/tl/checked"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    lines = text.split(separator: "\n").map { String($0) }
  }

  func contains(_ identity: String) -> Bool { lines.contains(identity) }

  /// Remembers one more; without a place to write, the next run checks again.
  mutating func add(_ identity: String) {
    lines = lines.suffix(Self.most - 1) + [identity]
    let folder = URL(filePath: path).deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? Data((lines.joined(separator: "\n") + "\n").utf8).write(
      to: URL(filePath: path), options: .atomic)
  }
}
