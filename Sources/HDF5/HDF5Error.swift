/// Where something is: an object in a file, or the file itself, or an attribute of the object.
public struct HDF5Place: Hashable, Sendable, CustomStringConvertible {
  /// The file's path as it was given.
  public var file: String
  /// The object's absolute path in the file; empty for the file itself.
  public var object: String
  /// The attribute's name, where an attribute is meant.
  public var attribute: String?

  public init(file: String, object: String = "", attribute: String? = nil) {
    self.file = file
    self.object = object
    self.attribute = attribute
  }

  public var description: String {
    if object.isEmpty { return "'\(file)'" }
    if let attribute { return "attribute '\(attribute)' of '\(object)' in '\(file)'" }
    return "'\(object)' in '\(file)'"
  }
}

/// Why an object is not touched although libhdf5 would.
public enum HDF5Refusal: Hashable, Sendable, CustomStringConvertible {
  /// A link to an object in another file.
  case externalLink(file: String, path: String)
  /// A link to another path of the same file, where such links are not followed.
  case softLink(target: String)
  /// A link of a kind that only its maker's program understands.
  case userDefinedLink
  /// More than 32 soft links one after another, as in a loop.
  case tooManySoftLinks
  /// A dataset whose elements lie in other files.
  case externalStorage(files: Int)
  /// A dataset put together from datasets that may lie in other files.
  case virtualDataset
  /// More bytes declared than the file holds.
  case oversized(declared: Int, stored: Int)
  /// A shape whose bytes cannot be counted in 63 bits.
  case uncountable(shape: [Int])

  public var description: String {
    switch self {
    case .externalLink(let file, let path):
      "an external link to '\(path)' in another file, '\(file)'"
    case .softLink(let target): "a soft link to '\(target)'"
    case .userDefinedLink: "a user-defined link"
    case .tooManySoftLinks: "more than 32 soft links one after another"
    case .externalStorage(let files): "its elements lie in \(files) other file(s)"
    case .virtualDataset: "a virtual dataset, put together from others"
    case .oversized(let declared, let stored):
      "it declares \(declared) bytes, and the file holds \(stored) of them"
    case .uncountable(let shape): "its shape \(shape) is too large to count"
    }
  }
}

/// What can go wrong with an HDF5 file; every case says which file and which object.
public enum HDF5Error: Error, Hashable, Sendable {
  /// There is no file at this path.
  case noSuchFile(HDF5Place)
  /// The path names something other than a file, such as a directory.
  case notAFile(HDF5Place, found: String)
  /// The file has no bytes.
  case emptyFile(HDF5Place)
  /// The file does not start as HDF5 files do.
  case notHDF5(HDF5Place)
  /// The file is shorter than it says of itself, in bytes.
  case truncated(HDF5Place, expected: Int, found: Int)
  /// A call of libhdf5 failed, for the innermost reason that it gives.
  case failed(doing: String, HDF5Place, reason: String)
  /// The file has been closed; nothing from it can be used any more.
  case closed(HDF5Place)
  /// The file was opened for reading only.
  case readOnly(HDF5Place)
  /// There is no such object, or a soft link leads to none.
  case notFound(HDF5Place)
  /// The name is empty or holds a byte that names cannot.
  case badName(HDF5Place)
  /// Something of this name is there already.
  case alreadyExists(HDF5Place)
  /// The object is of another kind, as a group where a dataset was asked for.
  case wrongKind(HDF5Place, expected: String, found: String)
  /// The elements are of another type than asked for.
  case wrongType(HDF5Place, expected: String, found: String)
  /// The number of elements differs from the shape's.
  case wrongCount(HDF5Place, expected: Int, found: Int)
  /// The rows asked for are not all there.
  case rowsOutOfRange(HDF5Place, Range<Int>, rows: Int)
  /// A value that the stored type cannot hold.
  case valueOutOfRange(HDF5Place, value: String, type: String)
  /// The shape, chunk or maximum shape cannot be stored.
  case badShape(HDF5Place, String)
  /// An attribute larger than the 64 KB that this file's format allows, in bytes.
  case attributeTooLarge(HDF5Place, bytes: Int)
  /// The object could be read, but only by opening other files or taking absurd memory.
  case refused(HDF5Place, HDF5Refusal)
}

extension HDF5Error: CustomStringConvertible {
  /// One line: what failed, what was expected and found, and where.
  public var description: String {
    oneLine(text)
  }

  private var text: String {
    switch self {
    case .noSuchFile(let place): "cannot open \(place): no such file"
    case .notAFile(let place, let found): "cannot open \(place): expected a file, found \(found)"
    case .emptyFile(let place): "cannot open \(place): the file is empty"
    case .notHDF5(let place): "cannot open \(place): not an HDF5 file"
    case .truncated(let place, let expected, let found):
      "cannot open \(place): truncated: expected \(expected) bytes, found \(found)"
    case .failed(let doing, let place, let reason): "cannot \(doing) \(place): \(reason)"
    case .closed(let place): "cannot use \(place): the file is closed"
    case .readOnly(let place): "cannot change \(place): the file is open for reading only"
    case .notFound(let place): "cannot find \(place)"
    case .badName(let place): "cannot use the name of \(place): it is empty or holds a NUL"
    case .alreadyExists(let place): "cannot create \(place): it exists already"
    case .wrongKind(let place, let expected, let found):
      "cannot use \(place): expected a \(expected), found a \(found)"
    case .wrongType(let place, let expected, let found):
      "cannot use \(place): expected \(expected), found \(found)"
    case .wrongCount(let place, let expected, let found):
      "cannot use \(place): expected \(expected) elements, found \(found)"
    case .rowsOutOfRange(let place, let range, let rows):
      "cannot use rows \(range.lowerBound)..<\(range.upperBound) of \(place): "
        + "expected rows in 0..<\(rows)"
    case .valueOutOfRange(let place, let value, let type):
      "cannot use \(place): expected values that \(type) holds, found \(value)"
    case .badShape(let place, let rule): "cannot use \(place): expected \(rule)"
    case .attributeTooLarge(let place, let bytes):
      "cannot write \(place): expected at most 64 KB, found \(bytes) bytes"
    case .refused(let place, let refusal): "refused to open \(place): \(refusal)"
    }
  }

  /// Names come from files, which may put line breaks and terminal codes in them.
  private func oneLine(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar in
        scalar.properties.generalCategory == .control ? "\u{FFFD}" : Character(scalar)
      })
  }
}
