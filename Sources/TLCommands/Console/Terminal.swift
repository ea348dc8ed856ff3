import Foundation

/// What the console knows of the terminal and the environment around it.
package struct Terminal: Sendable {
  /// Whether lines can be redrawn in place.
  package let isTerminal: Bool
  /// Whether text may carry colour.
  package let hasColor: Bool
  /// Columns, asked anew each time because windows are resized.
  package let width: @Sendable () -> Int

  package init(isTerminal: Bool, hasColor: Bool, width: @escaping @Sendable () -> Int = { 80 }) {
    self.isTerminal = isTerminal
    self.hasColor = hasColor
    self.width = width
  }

  /// A file or a pipe: no redrawing, no colour.
  package static let none = Terminal(isTerminal: false, hasColor: false)

  /// The terminal behind a file descriptor.
  ///
  /// `TERM=dumb` cannot redraw; `NO_COLOR` (any value but empty, see no-color.org) forbids colour.
  package init(descriptor: Int32, environment: [String: String]) {
    let isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    self.init(
      isTerminal: isTerminal,
      hasColor: isTerminal && environment["NO_COLOR", default: ""].isEmpty,
      width: { Self.columns(of: descriptor) ?? 80 })
  }

  private static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    // The one C call here that takes a pointer; it lives no longer than the call.
    let status = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }
}

/// The few ways in which text is emphasised.
package enum Emphasis: String, Sendable {
  case bold = "1"
  case failure = "1;31"
  case warning = "1;33"
  case good = "32"
  case faint = "2"
}

extension Terminal {
  /// `text` in that emphasis where colour is allowed, else `text` as it is.
  package func paint(_ text: String, _ emphasis: Emphasis) -> String {
    hasColor ? "\u{1B}[\(emphasis.rawValue)m\(text)\u{1B}[0m" : text
  }
}
