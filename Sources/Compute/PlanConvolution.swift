import Foundation

/// How a plan may compute its convolutions.
package enum ConvolutionChoice: String, Sendable, CaseIterable {
  /// Whatever is fastest for the layer's shape, by measurement.
  case fastest
  /// Products over the patches as they are: the fewest roundings, more multiplications.
  case direct

  /// The choice of a run: `fastest`, or what the environment variable `TL_CONVOLUTION` names.
  package static let current: ConvolutionChoice = {
    guard let wanted = ProcessInfo.processInfo.environment["TL_CONVOLUTION"], !wanted.isEmpty
    else { return .fastest }
    let choice = ConvolutionChoice(rawValue: wanted)
    precondition(
      choice != nil, "TL_CONVOLUTION must be one of \(allCases.map(\.rawValue)) but is '\(wanted)'")
    return choice ?? .fastest
  }()

  /// The side of Winograd's tiles for `filter`, nil for direct products.
  ///
  /// The choice depends on the layer's shape only, never on the batch: another algorithm would
  /// round differently. Where float32 has none bf16 has none.
  func winogradTile(for filter: PlanFilter, precision: Precision = .f32) -> Int? {
    self == .direct ? nil : WinogradTile.best(for: filter, precision: precision)
  }

  /// Whether 2x2 max pooling can be done while the outputs of `filter` are stored.
  func canPool(_ filter: PlanFilter) -> Bool { self != .direct && WinogradTile.canPool(filter) }

  /// Whether another value can be added while the outputs of `filter` are stored.
  func canAdd(_ filter: PlanFilter) -> Bool { winogradTile(for: filter) == nil }

  /// Whether two convolutions, the second on the first's result, are done in one pass.
  func canChain(_ first: PlanFilter, _ second: PlanFilter) -> Bool {
    self != .direct && ConvolutionChain.isBetter(first, second)
  }

  func operation(
    _ filter: PlanFilter, precision wanted: Precision, storage: OperationStorage,
    kernels: KernelTable, photos: Int? = nil
  ) -> any PlanOperation {
    let precision = filter.precision(wanted)
    if let tile = winogradTile(for: filter, precision: precision) {
      return WinogradConvolution(
        filter: filter, tile: tile, precision: precision, storage: storage, kernels: kernels,
        photos: photos)
    }
    return PackedConvolution(
      filter: filter, precision: precision, storage: storage, kernels: kernels, photos: photos)
  }
}

extension PlanFilter {
  /// What it multiplies: bf16 numbers come in pairs of channels.
  func precision(_ wanted: Precision) -> Precision { window.channels % 2 == 0 ? wanted : .f32 }
}
