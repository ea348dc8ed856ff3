import ArgumentParser
import Foundation

/// The exit statuses of `tl`.
package enum ExitStatus {
  package static let success: Int32 = 0
  package static let failure: Int32 = 1
  /// The command finished, but some photos failed.
  package static let someFailed: Int32 = 2
  /// The command line was wrong.
  package static let usage: Int32 = 64
}

/// An error that knows the way out: what to run or to change, shown as the second line.
package protocol WithWayOut: Error {
  /// One line without a full stop, e.g. ``run `tl weights fetch vgg16` ``; nil when there is none.
  var wayOut: String? { get }
}

/// A command finished, but some of what it was given failed; each was reported on its way.
package struct SomeFailed: Error, CustomStringConvertible, Equatable {
  package let failed: Int
  package let total: Int
  package let unit: String

  /// - Parameter unit: what is counted, in the plural.
  package init(_ failed: Int, of total: Int, unit: String = "photos") {
    self.failed = failed
    self.total = total
    self.unit = unit
  }

  package var description: String { "\(failed) of \(total) \(unit) failed" }
}

/// How an error ends a command: the lines on stderr and the exit status.
package struct Failure: Equatable, Sendable {
  package enum Severity: Sendable { case error, warning, notice }

  /// The command that failed, such as `tl predict`.
  package let command: String
  package let severity: Severity
  /// What happened; empty when nothing is to be said.
  package let description: String
  package let wayOut: String?
  package let status: Int32
  /// Whether the description has several lines, as that of a wrong command line.
  private let hasLines: Bool

  /// Classifies an error thrown by the `run()` of `command`.
  package init(_ error: any Error, command: String) {
    self.command = command
    hasLines = false
    wayOut = (error as? any WithWayOut)?.wayOut
    switch error {
    case let error as Interrupted:
      (severity, description, status) = (.notice, "\(error)", error.status)
    case is BrokenPipe:
      (severity, description, status) = (.notice, "", BrokenPipe.status)
    case let code as ExitCode:
      (severity, description, status) = (.notice, "", code.rawValue)
    case let error as SomeFailed:
      (severity, description, status) = (.warning, "\(error)", ExitStatus.someFailed)
    default:
      (severity, description, status) = (.error, Self.words(for: error), ExitStatus.failure)
    }
  }

  /// A wrong command line.
  package init(usage description: String, wayOut: String?, command: String) {
    self.command = command
    severity = .error
    self.description = description
    self.wayOut = wayOut
    hasLines = true
    status = ExitStatus.usage
  }

  private static func words(for error: any Error) -> String {
    // `description` of a Foundation error is its debug dump.
    let isFoundations =
      error is CocoaError || error is POSIXError || type(of: error) is NSError.Type
    guard isFoundations else { return String(describing: error) }
    let details = (error as NSError).userInfo
    let path = details[NSFilePathErrorKey] as? String ?? (details[NSURLErrorKey] as? URL)?.path
    return (path.map { "'\($0)': " } ?? "") + reason(of: error)
  }

  /// What is shown, as in `tl predict: error: <description>` and `  try: <way out>`.
  package func text(on terminal: Terminal) -> String? {
    if description.isEmpty { return nil }
    let label =
      switch severity {
      case .error: terminal.paint("error:", .failure) + " "
      case .warning: terminal.paint("warning:", .warning) + " "
      case .notice: ""
      }
    let words = escapingControls(description, keeping: hasLines ? "\n" : nil)
    let first = "\(command): \(label)\(words)"
    guard let wayOut else { return first }
    return first + "\n  " + terminal.paint("try:", .bold) + " " + escapingControls(wayOut)
  }
}
