import Foundation

/// Keeps other processes from writing into a run's folder while it lives.
///
/// The system lets go of the lock when the process ends, however it ends.
package final class RunLock: Sendable {
  /// The file in the folder that is locked; it says nothing and stays.
  package static let name = "lock"
  private let file: FileHandle

  /// Locks a folder that exists; throws `CheckpointError.inUse` where another process has it.
  package init(_ folder: String) throws {
    let path = URL(filePath: folder).appending(path: Self.name).path(percentEncoded: false)
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CheckpointError.cannotWrite(
        path, reason: unsafe String(cString: strerror(errno)), kept: nil)
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw CheckpointError.inUse(folder) }
  }
}
