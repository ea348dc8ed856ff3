import Foundation
import Images
import TestSupport
import Testing

@Suite struct PhotoBatchesTests {
  private static let photos: [Photo] = {
    let good = Fixtures.names(in: "Photos").map { "Photos/\($0)" }
    let bad = Fixtures.names(in: "Refused").map { "Refused/\($0)" }
    // Good and bad files take turns.
    return (0..<max(good.count, bad.count)).flatMap { index in
      [good, bad].compactMap { $0.indices.contains(index) ? $0[index] : nil }
    }.map { Photo(path: Fixtures.path($0), relativePath: $0) }
  }()

  private let loader = PhotoLoader(
    height: 20, width: 30, interpolation: .bilinear, preprocessing: .caffe)

  @Test(arguments: [1, 2, 5], [1, 7, 32, 500])
  func theResultDependsOnNeitherThreadsNorBatchSize(_ threads: Int, _ size: Int) throws {
    var indices: [Int] = []
    var failures: [Int] = []
    var scalars: [Float] = []
    let batches = PhotoBatches(Self.photos, loader: loader, batchSize: size, threads: threads)
    for batch in batches {
      #expect(batch.range.count <= size)
      #expect(batch.tensor.shape == [batch.indices.count, 20, 30, 3])
      #expect(batch.photos.count == batch.indices.count)
      indices += batch.indices
      failures += batch.failures.map(\.index)
      scalars += batch.tensor.scalars
    }
    let isGood = { (index: Int) in Self.photos[index].relativePath.hasPrefix("Photos/") }
    #expect(indices == Self.photos.indices.filter(isGood))
    #expect(failures == Self.photos.indices.filter { !isGood($0) })
    let alone = try indices.map { try loader.load(Self.photos[$0]) }
    expectClose(scalars, loader.tensor(of: alone).scalars, absolute: 0, relative: 0, "batches")
  }

  @Test func stoppingEarlyIsFine() throws {
    for stop in 0..<40 {
      var count = 0
      for batch in PhotoBatches(Self.photos, loader: loader, batchSize: 3) {
        #expect(batch.range.lowerBound == count * 3)
        count += 1
        if count > stop % 6 { break }
      }
    }
  }

  @Test func anEmptyListHasNoBatches() {
    #expect(Array(PhotoBatches([], loader: loader, batchSize: 4)).isEmpty)
  }

  @Test func aBatchOfFailuresHasAnEmptyTensor() throws {
    let photo = Photo(path: "/nowhere/x.jpg", relativePath: "x.jpg")
    let batch = try #require(Array(PhotoBatches([photo], loader: loader, batchSize: 4)).first)
    #expect(batch.tensor.shape == [0, 20, 30, 3])
    #expect(batch.failures.map(\.photo) == [photo])
    #expect(
      batch.failures.map(\.error)
        == [.cannotRead(path: "/nowhere/x.jpg", reason: "No such file or directory")])
  }
}

@Suite struct PhotoLoaderTests {
  private func photo(_ name: String) -> Photo {
    Photo(path: Fixtures.path("Photos/\(name)"), relativePath: name)
  }

  @Test func turnsUprightUnlessToldNotTo() throws {
    var loader = PhotoLoader(height: 37, width: 53, preprocessing: .none)
    let turned = try loader.load(photo("exif6.jpg"))
    #expect(turned.wasTurned)
    #expect(turned.orientation.value == 6)
    #expect((turned.storedWidth, turned.storedHeight) == (37, 53))
    expectSame(turned.image, try Fixtures.rgb("Decoded/exif6.jpg.rgb"), "turned")
    loader.ignoreOrientation = true
    loader.height = 53
    loader.width = 37
    let asStored = try loader.load(photo("exif6.jpg"))
    #expect(!asStored.wasTurned)
    #expect(asStored.orientation.value == 6)
    expectSame(asStored.image, try Fixtures.rgb("Decoded/420.jpg.rgb"), "as stored")
  }

  @Test func fingerprintsAreSHA256() throws {
    #expect(
      PhotoFingerprint.sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let loader = PhotoLoader(height: 5, width: 5, preprocessing: .none)
    #expect(
      try loader.load(photo("rgb.png")).fingerprint
        == PhotoFingerprint.sha256(ofFile: Fixtures.path("Photos/rgb.png")))
  }

  @Test func foldersAndPipesAreNotRead() throws {
    let loader = PhotoLoader(height: 5, width: 5, preprocessing: .none)
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.jpg").path()
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      #expect(throws: ImagesError.cannotRead(path: path, reason: "it is a folder")) {
        try loader.load(Photo(path: path, relativePath: "x.jpg"))
      }
      let pipe = folder.appending(path: "pipe.jpg").path()
      try #require(mkfifo(pipe, 0o600) == 0)
      #expect(throws: ImagesError.cannotRead(path: pipe, reason: "it is not a plain file")) {
        try loader.load(Photo(path: pipe, relativePath: "pipe.jpg"))
      }
    }
  }
}
