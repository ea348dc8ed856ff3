/// The numbers that convolutions and dense layers of an `InferencePlan` multiply.
///
/// Sums and what lies between layers are float32 in any case.
package enum Precision: String, Sendable, CaseIterable {
  /// float32.
  case f32
  /// bfloat16, the upper half of a float32: 8 bits of precision. Layers whose input has an odd
  /// number of channels, such as the first of a network, stay with float32.
  case bf16

  /// The fastest that the CPU has instructions for.
  package static var fastest: Precision { KernelTable.current.multipliesBF16 ? .bf16 : .f32 }

  /// What follows the name of an algorithm that uses it.
  var suffix: String { self == .bf16 ? " bf16" : "" }
}
