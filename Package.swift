// swift-tools-version: 6.2
import PackageDescription

// Loops over floats and pixels stay fast in debug builds too, so that `swift test` is quick.
let hotCode: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .unsafeFlags(["-O"], .when(configuration: .debug)),
]
let noPointers: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"), .strictMemorySafety(),
]

let package = Package(
  name: "tl",
  products: [
    .executable(name: "tl", targets: ["tl"]),
    .library(name: "HDF5", targets: ["HDF5"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(
      name: "CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
    .systemLibrary(name: "CGIF", providers: [.apt(["libgif-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),
    // Only libcurl's header: the library is opened at run time, see Sources/CCurl/shim.h.
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),

    .target(name: "HDF5", dependencies: ["CHDF5"]),
    .target(name: "Archives", dependencies: ["CZip"]),
    .target(
      name: "Compute", dependencies: ["CKernels"], swiftSettings: hotCode),
    .target(name: "Layers", dependencies: ["Compute"], swiftSettings: noPointers),
    .target(name: "Architectures", dependencies: ["Layers"], swiftSettings: noPointers),
    .target(
      name: "Weights",
      dependencies: [
        "HDF5", "Archives", "Layers", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: noPointers),
    .target(
      name: "Images",
      dependencies: [
        "CKernels", "Compute", "CTurboJPEG", "CPNG", "CWebP", "CGIF",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: hotCode),
    .target(
      name: "Scratch",
      swiftSettings: [.enableUpcomingFeature("InternalImportsByDefault")]),
    .target(name: "Downloads", dependencies: ["CCurl"]),
    .target(name: "Drawing", dependencies: ["CCairo", "Images"], swiftSettings: hotCode),
    .target(name: "Demo", dependencies: ["Drawing", "Images", "Compute"], swiftSettings: hotCode),
    .target(
      name: "TensorBoard",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Protos"], swiftSettings: noPointers),
    .target(
      name: "ONNX",
      dependencies: ["Weights", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Protos"], swiftSettings: noPointers),
    .target(
      name: "Training",
      dependencies: [
        "Architectures", "Weights", "Images", "HDF5", "Scratch", "Downloads", "TensorBoard", "ONNX",
      ],
      swiftSettings: noPointers),
    .target(
      name: "Explain", dependencies: ["Training", "Drawing"],
      swiftSettings: hotCode + [.strictMemorySafety()]),
    .target(
      name: "TLCommands",
      dependencies: [
        "Training", "Demo", "Explain",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: noPointers),
    // Swift's own libraries within the program: it starts in three fifths of the time.
    .executableTarget(
      name: "tl", dependencies: ["TLCommands"],
      linkerSettings: [
        .unsafeFlags(
          [
            "-static-stdlib", "-use-ld=lld", "-lCoreFoundation", "-l_FoundationICU",
            "-l_FoundationCShims", "-l_FoundationCollections",
          ], .when(configuration: .release))
      ]),
    .executableTarget(name: "tl-bench", dependencies: ["COpenBLAS", "Training"]),

    .target(name: "TestSupport", dependencies: ["HDF5", "Compute"], path: "Tests/TestSupport"),
    .testTarget(
      name: "HDF5Tests", dependencies: ["HDF5", "TestSupport"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ArchivesTests", dependencies: ["Archives", "TestSupport"]),
    .testTarget(name: "ScratchTests", dependencies: ["Scratch", "TestSupport"]),
    .testTarget(name: "ComputeTests", dependencies: ["Compute", "TestSupport"]),
    .testTarget(
      name: "LayersTests", dependencies: ["Layers", "TestSupport"], resources: [.copy("Goldens")]),
    .testTarget(
      name: "ArchitecturesTests", dependencies: ["Architectures", "TestSupport"],
      resources: [.copy("Goldens")]),
    .testTarget(
      name: "WeightsTests", dependencies: ["Weights", "Architectures", "Archives", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "ImagesTests", dependencies: ["Images", "TestSupport"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "TensorBoardTests", dependencies: ["TensorBoard", "TestSupport"],
      resources: [.copy("Goldens")]),
    .testTarget(
      name: "ONNXTests",
      dependencies: [
        "ONNX", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    .testTarget(
      name: "TrainingTests", dependencies: ["Training", "TensorBoard", "TestSupport"],
      resources: [.copy("Goldens")]),
    .testTarget(
      name: "ExplainTests", dependencies: ["Explain", "TestSupport"], exclude: ["boxes.txt"],
      resources: [.copy("Goldens")]),
    .testTarget(
      name: "TLCommandsTests", dependencies: ["TLCommands", "TestSupport", "tl"],
      resources: [.copy("Fixtures"), .copy("Snapshots")]),
  ]
)
