extension HDF5File {
  /// Reads what a reader of the file may come to read: all links, types, attributes and strings, all
  /// chunks, and of the other numbers the first row.
  ///
  /// What cannot be read is passed over: this is for a process of its own, to see whether libhdf5
  /// survives the file. Numbers in one piece are only copied, which nothing in a file can upset.
  public static func readThrough(_ path: String) {
    guard let file = try? open(path, followsSoftLinks: false), let root = try? file.root else {
      return
    }
    readThrough(root.attributes)
    for entry in (try? root.walk()) ?? [] {
      switch entry.kind {
      case .group: if let group = try? root.group(entry.path) { readThrough(group.attributes) }
      case .dataset: if let dataset = try? root.dataset(entry.path) { readThrough(dataset) }
      default: break
      }
    }
    try? file.close()
  }

  private static func readThrough(_ attributes: HDF5Attributes) {
    for name in (try? attributes.names()) ?? [] { _ = try? attributes.value(name) }
  }

  private static func readThrough(_ dataset: HDF5Dataset) {
    readThrough(dataset.attributes)
    if dataset.elementType.isString {
      _ = try? dataset.readStrings()
    } else if case .chunked? = try? dataset.storage.layout {
      readChunks(of: dataset)
    } else if let rows = dataset.shape.first, rows > 0 {
      _ = try? dataset.readRows(0..<1)
    }
  }

  /// All rows, some at a time, so that much data does not take as much memory.
  private static func readChunks(of dataset: HDF5Dataset) {
    guard (try? dataset.requireReadable()) != nil, let rows = dataset.shape.first else { return }
    let atOnce = max(1, (1 << 24) / max(1, dataset.shape.dropFirst().reduce(1, &*)))
    for start in stride(from: 0, to: rows, by: atOnce) {
      _ = try? dataset.readRows(start..<min(start + atOnce, rows))
    }
  }
}
