import ArgumentParser
import Compute

/// What `--precision` takes.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case f32, bf16, auto
}

/// Which numbers the frozen part multiplies.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: """
      What the frozen part multiplies: f32, bf16 (8 bits of precision, faster on CPUs that have \
      instructions for it), or auto, the fastest here.
      """)
  var precision = PrecisionChoice.f32

  /// The precision to use; says what `auto` chose, and what makes bf16 slow.
  func chosen(_ console: Console) -> Precision {
    switch precision {
    case .f32: return .f32
    case .auto:
      console.note("precision: \(Precision.fastest.rawValue)")
      return .fastest
    case .bf16:
      if !KernelTable.current.multipliesBF16 {
        console.warning(
          "this CPU has no instructions for bf16 (kernels: \(KernelTable.current.name)): it is "
            + "computed all the same, but slower than f32")
      }
      return .bf16
    }
  }
}
