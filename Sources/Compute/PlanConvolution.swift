/// Picks how a convolution is computed.
///
/// The choice depends on the layer's shape only, never on the batch: another algorithm would
/// round differently.
enum PlanConvolution {
  /// Whether 2x2 max pooling can be done while the outputs are stored.
  static func canPool(_ filter: PlanFilter) -> Bool {
    WinogradConvolution.tile(for: filter) == 4
  }

  static func make(_ filter: PlanFilter, kernels: KernelTable) -> any PlanOperation {
    if let tile = WinogradConvolution.tile(for: filter) {
      WinogradConvolution(filter: filter, tile: tile, kernels: kernels)
    } else {
      PackedConvolution(filter: filter, kernels: kernels)
    }
  }
}
