internal import CHDF5

/// One line of a listing of a file.
public struct HDF5Entry: Sendable {
  /// The absolute path in the file.
  public var path: String
  /// What is there; `refused` for what is not touched or cannot be read, with the reason.
  public var kind: HDF5Kind
  /// For datasets: the lengths of the axes.
  public var shape: [Int]?
  /// For datasets: what the elements are.
  public var elementType: HDF5ElementType?
  /// For datasets: how the elements lie in the file.
  public var storage: HDF5Storage?

  public init(path: String, kind: HDF5Kind) {
    self.path = path
    self.kind = kind
  }
}

extension HDF5Group {
  /// Everything below this group, depth first, in name order; no link out of it is followed.
  ///
  /// A group that has several names is entered under the first only. Whatever cannot be read is
  /// listed as `refused`, so that one damaged object does not hide the others.
  public func walk() throws(HDF5Error) -> [HDF5Entry] {
    var entries: [HDF5Entry] = []
    var entered: Set<UInt64> = []
    if let address = address() { entered.insert(address) }
    var pending = try listing()
    while let (path, kind) = pending.popLast() {
      var entry = HDF5Entry(path: path, kind: kind)
      do {
        switch kind {
        case .group:
          let group = try group(path)
          if let address = group.address(), entered.insert(address).inserted {
            pending += try group.listing()
          }
        case .dataset: try describe(try dataset(path), in: &entry)
        default: break
        }
      } catch .closed(let place) {
        throw .closed(place)
      } catch {
        entry.kind = .refused(error)
      }
      entries.append(entry)
    }
    return entries
  }

  /// The children's paths and kinds, last first.
  private func listing() throws(HDF5Error) -> [(String, HDF5Kind)] {
    try children().reversed().map { (joined(name, $0.name), $0.kind) }
  }

  private func describe(_ dataset: HDF5Dataset, in entry: inout HDF5Entry) throws(HDF5Error) {
    entry.shape = dataset.shape
    entry.elementType = dataset.elementType
    entry.storage = try dataset.storage
    try dataset.requireReadable()
  }

  private func address() -> UInt64? {
    var type: Int32 = 0
    var address: UInt64 = 0
    guard let id = try? object.id(), quietly(chdf5_object_info(id, &type, &address)) == 0 else {
      return nil
    }
    return address
  }
}

extension HDF5Dataset {
  /// Throws `refused` when reading everything would: when more is declared than the file holds.
  public func requireReadable() throws(HDF5Error) {
    try withSelection(rows: nil) { selection throws(HDF5Error) in
      try requireStored(selection.count, in: selection.dataset)
    }
  }
}
