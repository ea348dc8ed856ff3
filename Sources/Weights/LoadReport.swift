/// What became of every tensor of a file and of a network.
package struct LoadReport: Sendable, Equatable {
  /// What became of one tensor.
  package enum Status: String, Sendable {
    /// It is in the network now.
    case loaded
    /// It is in the file and was not asked for.
    case skipped
    /// The network wants it and the file has none.
    case missing
    /// It is in the file under the right name and does not fit.
    case mismatched
  }

  /// One tensor.
  package struct Row: Sendable, Equatable {
    /// The dataset's path in the file, nil where the file has none.
    package let tensor: String?
    /// The network's name for it, `<layer>/<parameter>`, nil where the network has none.
    package let parameter: String?
    /// The shape in the file, or that which the network wants where the file has none.
    package let shape: [Int]
    package let status: Status
    /// Why it does not fit.
    package let reason: String?
    /// What the shape in the file looks like.
    package let hint: String?

    init(
      tensor: String? = nil, parameter: String? = nil, shape: [Int], _ status: Status,
      reason: String? = nil, hint: String? = nil
    ) {
      self.tensor = tensor
      self.parameter = parameter
      self.shape = shape
      self.status = status
      self.reason = reason
      self.hint = hint
    }
  }

  /// The network's tensors in its order, then those of the file that it did not ask for.
  package internal(set) var rows: [Row] = []
  /// What was done to tensors besides copying them.
  package internal(set) var notes: [String] = []
  static let turnedRows =
    "rows of dense layers after a Flatten are brought from channels first to channels last"

  /// How many tensors have a status.
  package func count(_ status: Status) -> Int { rows.count { $0.status == status } }

  /// Such as `26 tensors loaded, 4 skipped`.
  package var summary: String {
    let loaded = count(.loaded)
    let others: [Status] = [.skipped, .missing, .mismatched]
    let counts = others.filter { count($0) > 0 }.map { "\(count($0)) \($0.rawValue)" }
    return (["\(loaded) tensor\(loaded == 1 ? "" : "s") loaded"] + counts)
      .joined(separator: ", ")
  }
}

/// Why a network could not be filled from a file.
package struct LoadMismatch: Sendable, Equatable, CustomStringConvertible {
  package let path: String
  package let network: String
  /// How many tensors the network wants, and how many of them the file has as they should be.
  package let wanted: Int
  package let loaded: Int
  /// The names of missing tensors, `<layer>/<parameter>`.
  package let missing: [String]
  /// The tensors that do not fit, each with the reason.
  package let mismatched: [String]
  /// What the shapes that do not fit look like.
  package let hints: [String]
  /// What the file holds and what was expected, in words.
  package let found: String
  package let expected: String

  /// The hint for a dense layer that takes another count of inputs.
  static let otherPictureSize = "looks made for pictures of another size"
  /// Whether a dense layer seems to belong to pictures of another size.
  package var looksMadeForOtherSize: Bool { hints.contains(Self.otherPictureSize) }

  /// One line: how many tensors fail, which, and what the file holds instead of missing ones.
  package var description: String {
    var parts: [String] = []
    if missing.count == wanted {
      parts.append("none of its \(wanted) tensors is in the file")
    } else if !missing.isEmpty {
      let names = Self.few(missing.map { "'\($0)'" })
      parts.append("\(missing.count) of \(wanted) tensors missing: \(names)")
    }
    if !mismatched.isEmpty {
      parts.append(
        "\(mismatched.count) of \(wanted) tensors not fitting: \(Self.few(mismatched))")
    }
    parts += hints
    if !missing.isEmpty, expected != found { parts.append("expected \(expected), found \(found)") }
    return "cannot load '\(network)' from '\(path)': " + parts.joined(separator: "; ")
  }

  /// The first of a list that could be as long as the network.
  private static func few(_ list: [String]) -> String {
    let shown = list.prefix(4).joined(separator: ", ")
    return list.count > 4 ? "\(shown) and \(list.count - 4) more" : shown
  }
}
