import Foundation
import HDF5
import Testing

/// Opens one of the files that Tests/Reference/make_hdf5_fixtures.py writes.
func fixture(_ name: String) throws -> HDF5File {
  try HDF5File.open(fixturePath(name))
}

func fixturePath(_ name: String) throws -> String {
  let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
  return folder.appending(path: name).path
}

let fixtureNames = [
  "numbers.h5", "strings.h5", "stored.h5", "oldest.h5", "latest.h5", "links.h5", "oversized.h5",
]

/// The error that `body` throws, or nil.
func errorOf<R>(_ body: () throws -> R) -> HDF5Error? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? HDF5Error
  }
}

/// The text of the error that `body` throws, or an empty text.
func messageOf<R>(_ body: () throws -> R) -> String {
  errorOf(body)?.description ?? ""
}
