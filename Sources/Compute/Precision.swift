/// The numbers that convolutions and dense layers of an `InferencePlan` multiply.
///
/// Sums are float32 in any case. With bf16 so is what lies between layers, but where only
/// convolutions write and read a value it is stored as they read it.
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

/// The kinds of numbers that an operation reads and writes.
struct OperationStorage: Sendable {
  var input = Precision.f32
  /// Of the second input.
  var addend = Precision.f32
  var output = Precision.f32
}

extension Precision {
  /// Where number `index` lies; `start` counts floats whatever lies there.
  func address(_ start: UnsafePointer<Float>, _ index: Int) -> UnsafePointer<Float> {
    let bytes = self == .bf16 ? 2 : 4
    return (UnsafeRawPointer(start) + index * bytes).assumingMemoryBound(to: Float.self)
  }

  func address(
    _ start: UnsafeMutablePointer<Float>, _ index: Int
  ) -> UnsafeMutablePointer<Float> {
    UnsafeMutablePointer(mutating: address(UnsafePointer(start), index))
  }

  /// Floats' places that `count` numbers take.
  func slots(_ count: Int) -> Int { self == .bf16 ? (count + 1) / 2 : count }
}
